"""Uses of cards, as rows: found, begun, and brought to what their messages come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_noop

from cards import merchant_kinds
from cards.chain_rules import Figures
from cards.messages import MessageDiffers, MessageMalformed, Told
from cards.models import Card, CardAuthorisation, CardMessage
from cards.models.messages import Kind
from cards.queries import deciding
from cards.queries.deciding import Facts
from cards.services.charges import Charge
from members.services import limits
from paymentsite.core import clock
from paymentsite.core.asking import Question, insertion
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money

NOBODY: Final = UUID(int=0)
_WHOLE: Final = Card.objects.select_related("member", "product", "wallet", "account", "code_key")


@dataclass(slots=True)
class Turn:
    """A message about a card whose member is locked, and what is known. ``named`` is the card that it names: ``card``,
    or one in the place of which that stands, or that stands in its place."""

    told: Told
    kind: Kind
    card: Card
    now: datetime
    message_id: UUID
    facts: Facts
    named: Card

    @property
    def source(self) -> str:
        return source_of(self.message_id)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message led to: the use, how it stands, and what of it became a debt."""

    use: UUID | None
    state: str
    debt: Money | None = None
    replayed: bool = False


def source_of(message: UUID) -> str:
    """How uses of limits name a message."""
    return f"card_message:{message}"


def card_of(told: Told) -> Card | None:
    """The card that the message names, its member and itself locked: in that order, as all do."""
    locked = _WHOLE.select_for_update(of=("member", "self"))
    if told.number is not None:
        return next(iter(locked.filter(number_digest=told.number)), None)
    return next(iter(locked.filter(public_id=told.card or NOBODY)), None)


def turn(told: Told, kind: Kind, card: Card) -> Turn:
    """What is known about the message."""
    now = clock.now()
    key = uuid7(now)
    facts = deciding.know(
        card,
        processor=told.processor,
        message_id=told.message_id,
        reference=told.reference,
        source=source_of(key),
        now=now,
    )
    if facts.seen and facts.seen.digest not in {told.digest(kind, card.public_id), told.digest(kind, None)}:
        raise MessageDiffers(message=told.message_id)
    named = card
    if facts.use is not None and facts.use.card_id != card.pk:
        card = _replaced(card, facts.use.card_id)
    return Turn(told, kind, card, now, key, facts, named)


class ReferenceOfAnother(MessageMalformed):
    code = "card_reference_of_another"
    sentence = gettext_noop("This reference of the network is of a use of another card.")


def _replaced(card: Card, key: int) -> Card:
    """The card ``key``, which stood in the place of ``card`` before, or stands in it now: what was begun with one
    number may be told of under the other."""
    found = _WHOLE.filter(pk=key, member=card.member_id).first()
    if found is None or not (_follows(card, found) or _follows(found, card)):
        raise ReferenceOfAnother
    return found


def _follows(card: Card, other: Card) -> bool:
    """Whether ``card`` stands in the place of ``other``, be it through others."""
    before = card.replaces_id
    while before is not None and before != other.pk:
        before = Card.objects.values_list("replaces_id", flat=True).get(pk=before)
    return before is not None


def begun(turn: Turn) -> CardAuthorisation:
    """The use that the message is about, not written yet where it is the first."""
    told, card = turn.told, turn.card
    unit = told.amount.unit if told.amount else ""
    if (use := turn.facts.use) is not None:
        use.merchant_currency = use.merchant_currency or unit
        if not use.began:
            # Asked anew after it was declined: it counts from now on.
            use.at = turn.now
        return use
    return CardAuthorisation(
        id=uuid7(turn.now),
        card=card,
        member=card.member,
        account=card.account,
        processor=told.processor,
        reference=told.reference,
        merchant=told.merchant.id,
        merchant_name=told.merchant_name,
        category=told.merchant.category,
        country=told.merchant.country,
        city=told.city,
        entry=told.entry,
        currency=card.product.currency,
        merchant_currency=unit,
        state=CardAuthorisation.State.DECLINED,
        at=turn.now,
    )


def message(turn: Turn, use: CardAuthorisation | None, charge: Charge | None, **facts: Any) -> CardMessage:
    """The row that keeps the message; not written yet."""
    told = turn.told
    amounts: dict[str, Any] = {}
    if charge is not None:
        amounts = {
            "settlement_minor": charge.settled.minor,
            "settlement_currency": charge.settled.unit,
            "rate": charge.rate,
            "margin_minor": charge.margin.minor,
            "fee_minor": charge.fee.minor,
            "card_minor": charge.total.minor,
        }
    return CardMessage(
        id=turn.message_id,
        use=use,
        processor=told.processor,
        message_id=told.message_id,
        kind=turn.kind,
        digest=told.digest(turn.kind, turn.card.public_id),
        merchant_minor=told.amount.minor if told.amount else None,
        merchant_currency=told.amount.unit if told.amount else "",
        final=told.final,
        told_at=told.told_at,
        at=turn.now,
        **{**amounts, **facts},
    )


def last_moment(use: CardAuthorisation) -> datetime:
    """How long what was approved may be captured, by the kind of merchant."""
    return use.at + merchant_kinds.custom(use.category).lasts


def become(use: CardAuthorisation, card: Card, figures: Figures) -> None:
    """The use, and what its card counts, are as ``figures`` say; not written yet."""
    counted_minor, counted = use.counted_minor, use.counted
    use.become(figures)
    use.expires_at = None if use.ended else last_moment(use)
    card.counted_minor += use.counted_minor - counted_minor
    card.counted += use.counted - counted


def count(use: CardAuthorisation, before: Figures, now: datetime) -> None:
    """What the use took of its member's limits counts as long as the use comes to anything."""
    if bool(before.counted) == bool(use.counted_minor):
        return
    for source in _sources(use):
        if use.counted_minor:
            limits.count_again(source=source, now=now)
        else:
            limits.give_back(source=source, now=now)


def count_told(turn: Turn, use: CardAuthorisation, before: Figures) -> None:
    """What nobody asked for, or more than was asked for, takes of its member's limits all the same."""
    found_out = before.open_ended and use.captured_minor > before.captured
    if use.counted_minor <= before.counted and not found_out:
        return
    if (more := use.counted_minor - limits.taken(_sources(use))) > 0:
        limits.record(turn.facts.limits, Money(more, use.currency)).save(force_insert=True)


def _sources(use: CardAuthorisation) -> list[str]:
    return [source_of(key) for key in CardMessage.objects.filter(use=use.pk).values_list("pk", flat=True)]


_DERIVED: Final = (
    *("hold_id", "at", "expires_at", "merchant_currency"),
    *("asked_minor", "cancelled_minor", "taken_minor", "returned_minor"),
    *("authorised_minor", "aside_minor", "captured_minor", "refunded_minor"),
    *("over", "lapsed", "approved", "ended", "state", "counted_minor", "counted"),
)
_OF_CARD: Final = ("uses_left", "merchant", "fixed_minor", "fixed_currency", "code_tries", "counted_minor", "counted")


def written(use: CardAuthorisation) -> Question:
    """The statement by which the use stands as it is."""
    return insertion(use) if use._state.adding else _update(use, _DERIVED)  # noqa: SLF001  Django's own word for it


def card_written(card: Card) -> Question:
    """The statement by which what uses change of the card stands."""
    return _update(card, _OF_CARD)


def _update(row: CardAuthorisation | Card, columns: Sequence[str]) -> Question:
    places = ", ".join(f"{column} = %s" for column in columns)
    statement = f"UPDATE {row._meta.db_table} SET {places} WHERE id = %s"  # noqa: S608  our own names
    return Question(statement, [*(getattr(row, column) for column in columns), row.pk])


def most(use: CardAuthorisation) -> int:
    """What may be captured of what was approved, at the merchant: more of it at some kinds of merchants."""
    custom = merchant_kinds.custom(use.category)
    aside = use.asked_minor * use.aside_minor // use.authorised_minor if use.authorised_minor else 0
    return max(use.asked_minor * (100 + custom.above_percent) // 100, aside)
