"""A network and merchants that there are not: in a sandbox, they say about cards whatever real ones say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_noop

from cards.control_rules import Entry
from cards.messages import Ask, Merchant, Told
from cards.models import Card, CardAuthorisation, CardMessage
from cards.services import authorising, codes, life, telling
from cards.services.authorising import Answer
from cards.services.uses import Taken
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import Forbidden, Invalid
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books

PROCESSOR: Final = "sim"
_LAST_FOUR: Final = 4


class NoSimulator(Forbidden):
    code = "card_simulator_absent"
    sentence = gettext_noop("Merchants are simulated in a sandbox only, and this is none (SANDBOX is not set).")


class CardAmbiguous(Invalid):
    code = "card_ambiguous"
    sentence = gettext_noop("{count} cards of that member end so. Name the card by its id.")


class What(StrEnum):
    """What is said."""

    AUTHORISE = "authorise"
    INCREMENT = "increment"
    ADVISE = "advise"
    DECLINE = "decline"
    REVERSE = "reverse"
    CAPTURE = "capture"
    REFUND = "refund"
    REVERSE_REFUND = "reverse-refund"


@dataclass(frozen=True, slots=True)
class Preset:
    """A merchant, and how its customers use their cards there."""

    merchant: Merchant
    entry: Entry
    currency: str = "CNY"


def _preset(key: str, name: str, category: str, entry: Entry, *, currency: str = "CNY", **where: str) -> Preset:
    merchant = Merchant(id=key, name=name, category=category, **{"country": "CN", **where})
    return Preset(merchant, entry, currency)


PRESETS: Final[Mapping[str, Preset]] = {
    "shop": _preset("sim-shop", "Corner Shop", "5411", Entry.CONTACTLESS, city="Shanghai"),
    "hotel": _preset("sim-hotel", "Grand Hotel", "7011", Entry.CHIP, city="Beijing"),
    "pump": _preset("sim-pump", "Ring Road Fuel", "5542", Entry.CHIP, city="Beijing"),
    "diner": _preset("sim-diner", "Noodle House", "5812", Entry.CHIP, city="Chengdu"),
    "cash": _preset("sim-cash", "Cash Machine", "6011", Entry.ATM, city="Shanghai"),
    "subscription": _preset("sim-subscription", "Streams", "5815", Entry.RECURRING),
    "abroad": _preset("sim-abroad", "Librairie du Port", "5942", Entry.CHIP, currency="EUR", country="FR"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What is to be said about ``card``, one of ours or any number.

    Where ``reference`` is one that was used before, what is said is about that use, and ``merchant`` and ``entry`` are
    the use's unless given. A ``page`` asks with what stands on the card; ``expires`` and ``code`` say otherwise.
    """

    card: Card | Secret
    amount: Money | None = None
    merchant: Merchant | None = None
    entry: Entry | None = None
    reference: str = ""
    message_id: str = ""
    settlement: Money | None = None
    final: bool = False
    partial: bool = False
    page: bool = False
    expires: tuple[int, int] | None = None
    code: Secret | None = field(default=None, repr=False)
    pin: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What we answered, and under which names it goes on. ``available`` is what the card can spend from now on."""

    reference: str
    message_id: str
    answer: Answer | Taken
    use: CardAuthorisation | None
    available: Money | None


def say(*, what: What, saying: Saying, by: Actor) -> Heard:
    """It was said, and answered as a network would be; the same message again is answered as the first time.

    Refused outside of a sandbox.
    """
    if not settings.SANDBOX:
        raise NoSimulator
    told = _told(saying)
    if what in _ASKS:
        answer: Answer | Taken = _ASKS[what](ask=_ask(told, saying), by=by)
    else:
        answer = _TELLS[what](told=told, by=by)
    use = CardAuthorisation.objects.filter(pk=answer.use).first() if answer.use else None
    available = books.standing(saying.card.account).available if isinstance(saying.card, Card) else None
    return Heard(told.reference, told.message_id, answer, use, available)


def card_called(name: str, *, member: Any = None) -> Card | Secret:
    """The card whose id, or number, ``name`` is; with ``member``, whose last four digits. A number may be nobody's."""
    rows = Card.objects.select_related("member", "product", "account", "code_key")
    if member is not None and len(name) == _LAST_FOUR:
        found = list(rows.filter(member=member, last_four=name))
        living = [card for card in found if not card.ended] or found
        if len(living) > 1:
            raise CardAmbiguous(count=len(living))
        if not living:
            raise life.NoSuchCard
        return living[0]
    number = "".join(name.split())
    if number.isascii() and number.isdecimal():
        return rows.filter(number_digest=Secret(number)).first() or Secret(number)
    try:
        key = UUID(name)
    except ValueError as error:
        raise life.NoSuchCard from error
    if card := rows.filter(public_id=key).first():
        return card
    raise life.NoSuchCard


def currency_of(reference: str) -> str | None:
    """What the merchant of that use counts in, if there is one."""
    asked = CardMessage.objects.filter(processor=PROCESSOR, use__reference=reference).exclude(merchant_currency="")
    return asked.order_by("at", "pk").values_list("merchant_currency", flat=True).first()


def _told(saying: Saying) -> Told:
    now = clock.now()
    first = CardAuthorisation.objects.filter(processor=PROCESSOR, reference=saying.reference).first()
    merchant, entry = saying.merchant, saying.entry
    if first is not None:
        merchant, entry = merchant or _merchant_of(first), entry or Entry(first.entry)
    usual = PRESETS["shop"]
    named = {"card": saying.card.public_id} if isinstance(saying.card, Card) else {"number": saying.card}
    return Told(
        processor=PROCESSOR,
        message_id=saying.message_id or f"m-{uuid7(now)}",
        reference=saying.reference or f"r-{uuid7(now)}",
        merchant=merchant or usual.merchant,
        entry=(Entry.ECOMMERCE if saying.page else None) or entry or usual.entry,
        told_at=now,
        amount=saying.amount,
        settlement=saying.settlement,
        final=saying.final,
        **named,
    )


def _ask(told: Told, saying: Saying) -> Ask:
    expires, code = saying.expires, saying.code
    if saying.page and isinstance(saying.card, Card):
        on_it = saying.card.expires_on
        expires = expires or (on_it.year, on_it.month)
        code = code or codes.of(saying.card, told.told_at)
    facts = {name: getattr(told, name) for name in Told.__dataclass_fields__}
    return replace(Ask(**facts), expires=expires, code=code, pin=saying.pin, partial=saying.partial)


def _merchant_of(use: CardAuthorisation) -> Merchant:
    return Merchant(id=use.merchant, name=use.merchant_name, category=use.category, country=use.country, city=use.city)


_ASKS: Final[Mapping[What, Callable[..., Answer]]] = {
    What.AUTHORISE: authorising.authorise,
    What.INCREMENT: authorising.increment,
}
_TELLS: Final[Mapping[What, Callable[..., Taken]]] = {
    What.ADVISE: telling.advise,
    What.DECLINE: telling.decline,
    What.REVERSE: telling.reverse,
    What.CAPTURE: telling.capture,
    What.REFUND: telling.refund,
    What.REVERSE_REFUND: telling.reverse_refund,
}
