"""Setting what cards may be used for, and asking what is left of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from cards import control_reading
from cards.control_rules import Cap, Controls, Entry, Malformed, Measure, Names, Rule, Span
from cards.merchant_kinds import Group
from cards.models import Card, CardControls, CardProduct
from cards.queries import deciding as queries
from cards.services import caps, life
from cards.services.life import Channel
from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Invalid, listed
from paymentsite.core.formats import amount as formatted
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit

Subject = Card | Member | CardProduct

RIGHT: Final = "cards.approve_raised_controls"
# What a set may speak of, as people call it.
_PARTS: Final = {
    "caps": _("limits"),
    "categories": _("kinds of merchants"),
    "countries": _("countries"),
    "merchants": _("merchants"),
    "entries": _("ways of use"),
    "currencies": _("currencies"),
    "hours": _("time of day"),
    "weekdays": _("days of the week"),
}
WEEKDAYS: Final = (
    *(_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
)
_KNOWN: Final = {str(value): label for kinds in (Group, Entry, Measure, Span, Rule) for value, label in kinds.choices}


def part_words(part: str) -> str:
    return str(_PARTS.get(part, part))


def parts_of(row: CardControls) -> list[str]:
    """What the set speaks of, in words."""
    return [part_words(part) for part in _PARTS if part in row.terms]


def _words(fact: Any) -> str:
    return controls_words(fact)


class InvalidControls(Invalid, part=part_words):
    code = "card_controls_malformed"
    sentence = gettext_noop("A card cannot be told to do that: look at its {part}.")


@act
def set_for(*, subject: Card | Member, terms: Mapping[str, Any], by: Actor, channel: Channel) -> CardControls:
    """From now on ``terms``, and no others, hold for the card, or for all cards of the member together.

    Beside them hold those of the product: the strictest wins. The same again changes nothing.
    """
    member = Member.objects.lock(subject.pk if isinstance(subject, Member) else subject.member_id)
    members.check_active(member)
    if isinstance(subject, Card):
        subject = Card.objects.get(pk=subject.pk)
        if subject.ended:
            raise life.CardEnded(state=subject.state)
    return _set(subject, terms, by=by, channel=channel)


@approvals.required(
    "cards.set_product_controls",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Set what cards of a product may be used for"),
    lines={"product": Line(_("product")), "terms": Line(_("what is allowed"), _words)},
)
def set_for_product(*, product: CardProduct, terms: dict[str, Any], by: Actor, reason: str) -> Effect:
    """The same for each card of a product."""
    made = _set(product, terms, by=by, channel=Channel.ADMIN, reason=reason)
    return {"product": product, "terms": _told(made, product.currency)}


@approvals.required(
    "cards.raise_controls",
    right=RIGHT,
    concerns=("card.member_id",),
    title=_("Let a card do more than its product says"),
    lines={"card": Line(_("card")), "terms": Line(_("what is allowed"), _words)},
)
def raise_for(*, card: Card, terms: dict[str, Any], by: Actor, reason: str) -> Effect:
    """For this card ``terms`` stand in the place of what its product says."""
    Member.objects.lock(card.member_id)
    found = Card.objects.select_related("product").get(pk=card.pk)
    if found.ended:
        raise life.CardEnded(state=found.state)
    made = _set(found, terms, by=by, channel=Channel.ADMIN, reason=reason, raised=True)
    return {"card": found, "terms": _told(made, found.product.currency)}


def carry_over(old: Card, new: Card, *, by: Actor, channel: Channel) -> None:
    """What held for a card holds for the one that stands in its place."""
    for raised in (False, True):
        newest = CardControls.objects.about(old, raised=raised).order_by("-pk").first()
        if newest:
            _set(new, newest.terms, by=by, channel=channel, reason=newest.reason, raised=raised)


def _set(
    subject: Subject,
    terms: Mapping[str, Any],
    *,
    by: Actor,
    channel: Channel,
    reason: str = "",
    raised: bool = False,
) -> CardControls:
    try:
        read = control_reading.read(terms)
    except Malformed as wrong:
        raise InvalidControls(part=wrong.part) from wrong
    # A member's cards may be in several currencies, a card and a product are in one.
    if any(bool(cap.currency) != isinstance(subject, Member) for cap in read.caps if cap.measure == Measure.AMOUNT):
        raise InvalidControls(part="caps")
    kept = read.kept()
    newest = CardControls.objects.about(subject, raised=raised).order_by("-pk").first()
    if newest is not None and newest.terms == kept:
        return newest
    name = {Card: "card", Member: "member", CardProduct: "product"}[type(subject)]
    made = CardControls.objects.create(
        **{name: subject},
        raised=raised,
        terms=kept,
        channel=channel,
        actor=str(by),
        reason=clear(reason),
        at=clock.now(),
    )
    before = newest.terms if newest else None
    audit.record(by=by, act="card.controls_set", subject=made, before=before, after={name: subject, "terms": kept})
    return made


def in_force(subject: Subject, *, raised: bool = False) -> Controls:
    """What was last set for it."""
    newest = CardControls.objects.about(subject, raised=raised).order_by("-pk").first()
    return control_reading.read(newest.terms) if newest else Controls()


def for_product(card: Card) -> Controls:
    """What of the card's product holds for it: that, or what was set in its place."""
    raised = CardControls.objects.about(card, raised=True).order_by("-pk").first()
    return control_reading.read(raised.terms) if raised else in_force(card.product)


@dataclass(frozen=True, slots=True)
class Left:
    """What a cap leaves: of the card, of all cards of its member, or of its product. None is used where each use is
    judged for itself; it resets never, or bit by bit, where there is no moment."""

    scope: str
    cap: Cap
    used: int | None
    left: int
    resets_at: datetime | None


def left(card: Card, now: datetime) -> list[Left]:
    """What is left of each cap on the card. Beside them the member's own limits hold: ``limits.left``."""
    found = Card.objects.select_related("member", "product", "account").get(pk=card.pk)
    facts = queries.know(found, processor="", message_id="", reference="", source="", now=now)
    return [
        Left(
            scope, reading.cap, reading.used, reading.left, reading.resets_at and found.member.local(reading.resets_at)
        )
        for scope, reading in caps.readings(facts, found.product.currency)
    ]


def rows_in_force(card: Card) -> list[CardControls]:
    """What was last set for the card, for its product (or in the product's place for this card), and for its member."""
    found = [CardControls.objects.about(card).order_by("-pk").first()]
    raised = CardControls.objects.about(card, raised=True).order_by("-pk").first()
    found.append(raised or CardControls.objects.about(card.product).order_by("-pk").first())
    found.append(CardControls.objects.about(card.member).order_by("-pk").first())
    return [row for row in found if row is not None]


def row_words(row: CardControls) -> str:
    """A set as it was stored, in the active language."""
    product = row.card.product if row.card else row.product
    return controls_words(_told(row, product.currency if product else ""))


def _told(made: CardControls, currency: str) -> str:
    return json.dumps({**made.terms, "currency": currency}, sort_keys=True)


def controls_words(fact: Any) -> str:
    """A stored set in the active language."""
    told = json.loads(fact)
    currency = told.pop("currency", "")
    controls = control_reading.read(told)
    parts = [_cap_words(cap, currency) for cap in controls.caps]
    for part in ("categories", "countries", "merchants"):
        parts += _names_words(part, getattr(controls, part))
    for part in ("entries", "currencies"):
        if (names := getattr(controls, part)) is not None:
            parts.append(gettext("{part}: only {names}").format(part=part_words(part), names=_listed(names)))
    if controls.hours is not None:
        first, end = controls.hours
        parts.append(gettext("from {first}:00 to {end}:00").format(first=first, end=end))
    if controls.weekdays is not None:
        names = [str(WEEKDAYS[day]) for day in controls.weekdays]
        parts.append(gettext("only on {days}").format(days=listed(names)))
    return "; ".join(parts) or gettext("everything")


def _cap_words(cap: Cap, currency: str) -> str:
    unit = cap.currency or currency
    most = formatted(Money(cap.most, unit)) if cap.measure == Measure.AMOUNT else str(cap.most)
    return gettext("{measure}, {span}: at most {most}").format(
        measure=cap.measure.label, span=cap.span.label, most=most
    )


def _names_words(part: str, names: Names) -> list[str]:
    found = []
    if names.only is not None:
        found.append(gettext("{part}: only {names}").format(part=part_words(part), names=_listed(names.only)))
    if names.never:
        found.append(gettext("{part}: never {names}").format(part=part_words(part), names=_listed(names.never)))
    return found


def _listed(names: tuple[str, ...]) -> str:
    return listed(str(_KNOWN.get(str(name), name)) for name in names) or gettext("none")
