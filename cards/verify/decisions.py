"""Decisions about uses of cards: each receipted, none outside a card's life or against what was set."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from cards import control_reading
from cards.control_rules import Controls, Entry, Malformed, Rule, Use, against
from cards.models import Card, CardAuthorisation, CardControls, CardEvent, CardMessage, DecisionReceipt
from cards.models.messages import Kind, Outcome
from cards.services.caps import in_force
from paymentsite.core import clock
from paymentsite.core.verification import Fault, Run, check

_CHUNK: Final = 2_000
_ASKED: Final = (Kind.AUTHORISATION, Kind.INCREMENT)
_GOOD: Final = (Outcome.APPROVED, Outcome.PARTIAL)


@check(
    "cards.decision_has_receipt",
    "Each question about a card has one receipt, which says the same and what it rests on.",
)
def decision_has_receipt(run: Run) -> Iterator[Fault]:
    run.seen["receipts"] = DecisionReceipt.objects.count()
    bare = CardMessage.objects.filter(kind__in=_ASKED, receipt=None)
    for pk in bare.order_by("pk").values_list("pk", flat=True):
        yield f"message {pk}", "it was decided without a receipt"
    before = dict(Card.objects.exclude(replaces=None).values_list("pk", "replaces_id"))
    rows = DecisionReceipt.objects.select_related("message", "message__use").order_by("pk")
    for receipt in rows.iterator(_CHUNK):
        message = receipt.message
        same = (receipt.outcome, receipt.code) == (message.outcome, message.code)
        if message.kind not in _ASKED or not (same and _of_its_card(receipt, before)):
            yield f"receipt {receipt.pk}", f"says {receipt.outcome}, its message {message.outcome}: {message.code}"
        elif what := _unfounded(receipt):
            yield f"receipt {receipt.pk}", what


def _of_its_card(receipt: DecisionReceipt, before: Mapping[int, int | None]) -> bool:
    """Whether it names the card of the use, or one that stands in the place of that."""
    begun, card = receipt.message.use and receipt.message.use.card_id, receipt.card_id
    while card is not None and card != begun:
        card = before.get(card)
    return card == begun


def _unfounded(receipt: DecisionReceipt) -> str:
    passed = [check["passed"] for check in receipt.checks]
    if receipt.outcome in _GOOD:
        if not all(passed) or not receipt.checks:
            return "approves what a check was against"
        over = [row["limit"] for row in receipt.limits if row["after"] is not None and row["after"] > row["most"]]
        return f"approves more than {', '.join(over)} allow" if over else ""
    last = receipt.checks[-1] if receipt.checks else {}
    told = last.get("passed") is False and last.get("code") == receipt.code
    return "" if told else "declines what no check was against"


@check("cards.approved_in_life", "Nothing was approved on a card that was not active then, or past its last day.")
def approved_in_life(_: Run) -> Iterator[Fault]:
    for pk in DecisionReceipt.objects.filter(outcome__in=_GOOD, card=None).order_by("pk").values_list("pk", flat=True):
        yield f"receipt {pk}", "approves something on no card"
    rows = DecisionReceipt.objects.filter(outcome__in=_GOOD, card__isnull=False).select_related("card", "message")
    for card, receipts in groupby(rows.order_by("card_id", "pk").iterator(_CHUNK), key=lambda receipt: receipt.card):
        events = list(CardEvent.objects.filter(card=card).order_by("pk").values_list("at", "before", "after"))
        for receipt in receipts:
            if clock.day_of(receipt.at) > card.expires_on:
                yield f"receipt {receipt.pk}", "approves something past the card's last day"
            single = card.use == Card.Use.SINGLE and receipt.message.kind == Kind.INCREMENT
            if not _active(events, receipt.at) and not single:
                yield f"receipt {receipt.pk}", "approves something on a card that was not active"


def _active(events: list[tuple[datetime, str, str]], at: datetime) -> bool:
    """Whether it was at some time in that moment, to which a clock is exact."""
    state = ""
    for when, before, after in events:
        if when > at:
            break
        if when == at and Card.State.ACTIVE in {before, after}:
            return True
        state = after
    return state == Card.State.ACTIVE


@check("cards.approved_within_controls", "Nothing was approved but within the controls that were in force then.")
def approved_within_controls(run: Run) -> Iterator[Fault]:
    run.seen["controls of cards"] = CardControls.objects.count()
    known = list(CardControls.objects.order_by("pk"))
    for row in known:
        try:
            control_reading.read(row.terms)
        except Malformed as wrong:
            yield f"controls {row.pk}", f"cannot be read: {wrong}"
            return
    if not known:
        return
    rows = DecisionReceipt.objects.filter(outcome__in=_GOOD).select_related("card__product", "message__use__card")
    for receipt in rows.order_by("pk").iterator(_CHUNK):
        if receipt.card and (use := receipt.message.use) and _against(known, receipt, use):
            yield f"receipt {receipt.pk}", "approves what the controls were against"
        named = receipt.seen.get("controls")
        if receipt.card and named is not None and named not in _sets(known, receipt.card, receipt.at):
            yield f"receipt {receipt.pk}", "names other controls than were in force"
        told = {(row["scope"], row["limit"]): row["most"] for row in receipt.limits if row["scope"] != "limits"}
        if receipt.card and told not in _could_hold(known, receipt.card, receipt.at):
            yield f"receipt {receipt.pk}", "was decided by other limits than were in force"


def _against(known: list[CardControls], receipt: DecisionReceipt, use: CardAuthorisation) -> bool:
    """Whether it was against the controls before and after that very moment; the hour on the member's clock is not
    kept."""
    asked = Use(
        amount=0,
        merchant=use.merchant,
        category=use.category,
        country=use.country,
        currency=receipt.message.merchant_currency,
        entry=Entry(use.entry),
        at=receipt.at,
    )
    return all(
        any(
            rule not in {Rule.HOUR, Rule.WEEKDAY}
            for controls in _controls(_newest(known, use.card, receipt.at, within=within)).values()
            for rule in against(controls, asked)
        )
        for within in (True, False)
    )


def _could_hold(known: list[CardControls], card: Card, at: datetime) -> list[dict[tuple[str, str], Any]]:
    """The caps in force before and after what was set in that very moment."""
    return [
        {
            (scope, cap.name): cap.most
            for scope, controls in _controls(_newest(known, card, at, within=within)).items()
            for cap in controls.caps
            if cap.counts(card.product.currency)
        }
        for within in (True, False)
    ]


def _sets(known: list[CardControls], card: Card, at: datetime) -> list[list[int]]:
    """Which sets were in force before and after what was set in that very moment."""
    both = (_newest(known, card, at, within=within) for within in (True, False))
    return [sorted(row.pk for row in found.values()) for found in both]


def _controls(rows: dict[str, CardControls]) -> dict[str, Controls]:
    return in_force({scope: control_reading.read(row.terms) for scope, row in rows.items()})


def _newest(known: list[CardControls], card: Card, at: datetime, *, within: bool) -> dict[str, CardControls]:
    found: dict[str, CardControls] = {}
    for row in known:
        if row.at > at or (row.at == at and not within):
            continue
        if row.card_id == card.pk:
            found["raised" if row.raised else "card"] = row
        elif row.member_id == card.member_id:
            found["member"] = row
        elif row.product_id == card.product_id:
            found["product"] = row
    return found
