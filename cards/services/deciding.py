"""Deciding a question: each check in its order, until one is against it; and everything that was seen on the way."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from cards import control_rules
from cards.control_rules import Entry, Measure, Reading, Use
from cards.messages import Ask
from cards.models import Card, CardPin
from cards.models.messages import Code, Kind, Outcome
from cards.models.pins import TRIES as PIN_TRIES
from cards.queries.deciding import Facts
from cards.services import card_pins, codes
from cards.services.caps import in_force, readings, takes
from cards.services.charges import Charge
from members.models import Member
from members.services import limits
from members.services.limits import Verdict
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger.models import Balance

State = Card.State

# How many wrong security codes in a row block a card.
CODE_TRIES: Final = 5
_OF_STATE: Final = {
    State.INACTIVE: Code.CARD_INACTIVE,
    State.FROZEN: Code.CARD_FROZEN,
    State.BLOCKED: Code.CARD_BLOCKED,
    State.CLOSED: Code.CARD_CLOSED,
    State.EXPIRED: Code.CARD_EXPIRED,
}
# Machines and desks that give cash.
_GIVES_CASH: Final = {"6010", "6011"}
# Whoever sees the card reads its code, or its chip.
_WITHOUT_CODE: Final = {Entry.CONTACTLESS, Entry.CHIP, Entry.STRIPE, Entry.ATM, Entry.RECURRING}


@dataclass(slots=True)
class Decision:
    """What came of a question. What is ``approved`` (``there``: at the merchant) and set ``aside`` is nothing where it
    was declined."""

    outcome: Outcome
    code: Code
    approved: Money
    aside: Money
    there: int = 0
    checks: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict | None = None
    pin_right: bool = False
    code_right: bool = False

    @property
    def good(self) -> bool:
        return self.outcome != Outcome.DECLINED

    def decline(self, code: Code) -> None:
        """After all: what was seen of the books is no longer so."""
        self.outcome, self.code = Outcome.DECLINED, code
        self.approved = self.aside = Money.zero(self.approved.unit)
        self.there = 0
        self.checks[-1] = {"check": "funds", "passed": False, "code": str(code)}


class _Against(Exception):
    def __init__(self, code: Code, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Question:
    """What is decided: the message, the card as it stands, what is known, and what it comes to (or why nothing).

    ``named`` is the card whose number was asked with: the one in the place of that by which the use was begun, or it.
    """

    ask: Ask
    kind: Kind
    card: Card
    facts: Facts
    charge: Charge | None
    now: datetime
    named: Card

    @property
    def goes_on(self) -> bool:
        """Whether it asks for more of what was approved: else it is asked anew, whatever it calls itself."""
        use = self.facts.use
        return self.kind == Kind.INCREMENT and use is not None and use.authorised_minor > 0

    @property
    def amount(self) -> Money:
        """What limits and controls are asked for."""
        return self.charge.judged if self.charge else Money.zero(self.card.product.currency)


def decide(question: Question) -> Decision:
    """The checks in their order; the first that is against it decides."""
    none = Money.zero(question.card.product.currency)
    decision = Decision(Outcome.DECLINED, Code.APPROVED, none, none)
    for name, check in _CHECKS.items():
        try:
            check(question, decision)
        except _Against as found:
            decision.checks.append({"check": name, "passed": False, "code": str(found.code), **found.facts})
            decision.code = found.code
            return decision
        decision.checks.append({"check": name, "passed": True})
    return decision


def _card(question: Question, _decision: Decision) -> None:
    card, use = question.named, question.facts.use
    # What was approved on a card for one use may still become more.
    goes_on = question.goes_on and card.use == Card.Use.SINGLE
    if card.state in _OF_STATE and not (goes_on and card.state == State.CLOSED):
        raise _Against(_OF_STATE[State(card.state)])
    if card.expired(clock.day_of(question.now)):
        raise _Against(Code.CARD_EXPIRED)
    if card.member.state != Member.State.ACTIVE:
        raise _Against(Code.MEMBER_SUSPENDED)
    if question.facts.books.status != Balance.Status.OPEN or question.facts.unpayable:
        raise _Against(Code.WALLET_UNUSABLE)
    if use is not None and (use.over or use.lapsed):
        raise _Against(Code.CANCELLED_BEFORE)


def _security(question: Question, decision: Decision) -> None:
    ask, card = question.ask, question.card
    if question.goes_on:
        return
    _pin(question.facts.pin, ask, decision)
    if ask.expires is not None and ask.expires != (card.expires_on.year, card.expires_on.month):
        raise _Against(Code.WRONG_EXPIRY)
    if ask.code is None:
        if ask.entry not in _WITHOUT_CODE:
            raise _Against(Code.CODE_MISSING)
        return
    if not codes.right(card, ask.code, question.now):
        raise _Against(Code.WRONG_CODE, tries=card.code_tries + 1)
    decision.code_right = True


def _pin(held: CardPin | None, ask: Ask, decision: Decision) -> None:
    """Cash is never given without; elsewhere it is looked at where it was entered."""
    if ask.pin is None:
        if ask.entry == Entry.ATM or ask.merchant.category in _GIVES_CASH:
            raise _Against(Code.PIN_MISSING)
        return
    if held is None:
        raise _Against(Code.PIN_UNSET)
    if held.tries >= PIN_TRIES:
        raise _Against(Code.PIN_LOCKED)
    if not card_pins.right(held, ask.pin):
        raise _Against(Code.WRONG_PIN, tries=held.tries + 1)
    decision.pin_right = True


def _use(question: Question, _decision: Decision) -> None:
    card, ask = question.card, question.ask
    again = question.facts.use is not None and question.facts.use.began
    if card.uses_left == 0 and not again:
        raise _Against(Code.USED_UP)
    if card.merchant not in {"", ask.merchant.id}:
        raise _Against(Code.OTHER_MERCHANT)
    if card.category not in {"", ask.merchant.category}:
        raise _Against(Code.OTHER_CATEGORY)
    if card.fixed is not None and ask.amount is not None:
        there = question.facts.use.asked_minor if question.facts.use else 0
        if ask.amount.unit != card.fixed_currency or there + ask.amount.minor > card.fixed.minor:
            raise _Against(Code.OTHER_AMOUNT, most=_wire(card.fixed))
        if question.facts.paid and ask.amount.minor and not again:
            raise _Against(Code.ALREADY_PAID)


def _controls(question: Question, _decision: Decision) -> None:
    ask, card = question.ask, question.card
    if ask.amount is None:
        return
    use = Use(
        amount=question.amount.minor,
        merchant=ask.merchant.id,
        category=ask.merchant.category,
        country=ask.merchant.country,
        currency=ask.amount.unit,
        entry=ask.entry,
        at=card.member.local(question.now),
    )
    # Nobody gets around our hours by saying that they live elsewhere.
    ours = replace(use, at=clock.local(question.now))
    for scope, controls in in_force(question.facts.controls).items():
        for rule in control_rules.against(controls, ours if scope == "product" else use):
            raise _Against(Code.CONTROL, scope=scope, rule=str(rule))


def _rate(question: Question, _decision: Decision) -> None:
    if question.charge is None:
        raise _Against(Code.NO_RATE)


def _card_limits(question: Question, decision: Decision) -> None:
    amount = question.amount.minor
    worst: tuple[str, Reading] | None = None
    for scope, reading in readings(question.facts, question.card.product.currency):
        asked = takes(question.facts, reading.cap, amount)
        decision.limits.append(_limit_row(question, scope, reading, asked))
        if asked > reading.left and (worst is None or reading.left < worst[1].left):
            worst = scope, reading
    if worst:
        scope, reading = worst
        raise _Against(Code.CARD_LIMIT, scope=scope, limit=reading.cap.name, most=reading.cap.most, left=reading.left)


def _limit_row(question: Question, scope: str, reading: Reading, asked: int) -> dict[str, Any]:
    return {
        "scope": scope,
        "limit": reading.cap.name,
        "most": reading.cap.most,
        "before": reading.used,
        "after": None if reading.used is None else reading.used + asked,
        "resets_at": reading.resets_at.isoformat() if reading.resets_at else None,
        "currency": question.card.product.currency if reading.cap.measure == Measure.AMOUNT else None,
    }


def _member_limits(question: Question, decision: Decision) -> None:
    if not question.amount.minor:
        return
    charged, before = question.charge.total if question.charge else None, question.facts.use
    more_of = before.counted_minor if before else 0
    verdict = limits.judge(question.facts.limits, question.amount, more_of=more_of, takes=charged)
    decision.verdict = verdict
    for reading in verdict.readings:
        counts = reading.limit.measure == limits.Measure.COUNT
        asked = 1 if counts else question.amount.minor
        decision.limits.append(
            {
                "scope": "limits",
                "limit": reading.limit.name,
                "most": reading.limit.cap,
                "before": reading.used if reading.window else None,
                "after": reading.used + asked if reading.window else None,
                "resets_at": reading.window.resets_at.isoformat() if reading.window else None,
                "currency": None if counts else reading.limit.currency,
            }
        )
    if verdict.refusal:
        facts = {name: _wire(value) for name, value in verdict.refusal.facts.items()}
        raise _Against(Code.MEMBER_LIMIT, refusal=verdict.refusal.code, **facts)


def _funds(question: Question, decision: Decision) -> None:
    """Risk will stand before it. What is set aside beyond the amount is as much as there is."""
    charge, available = question.charge, question.facts.books.available
    if charge is None:
        raise _Against(Code.NO_RATE)
    if available is None or charge.judged.minor <= available:
        aside = charge.aside.minor if available is None else min(charge.aside.minor, available)
        decision.approved, decision.aside = charge.total, Money(aside, charge.total.unit)
        decision.outcome, decision.there = Outcome.APPROVED, charge.there
        return
    # A part of what has a fee or a margin would come to another amount at the merchant.
    plain = charge.own == charge.total == charge.judged and not question.goes_on
    there = charge.there * available // charge.total.minor
    if question.ask.partial and plain and there > 0:
        decision.approved = decision.aside = Money(available, charge.total.unit)
        decision.outcome, decision.there = Outcome.PARTIAL, there
        part = replace(question, charge=replace(charge, own=decision.approved, judged=decision.approved))
        decision.limits.clear()
        _card_limits(part, decision)
        _member_limits(part, decision)
        return
    raise _Against(
        Code.INSUFFICIENT_FUNDS,
        available=_wire(Money(max(0, available), charge.total.unit)),
        asked=_wire(charge.judged),
    )


_CHECKS: Final = {
    "card": _card,
    "security": _security,
    "use": _use,
    "controls": _controls,
    "rate": _rate,
    "card_limits": _card_limits,
    "member_limits": _member_limits,
    "funds": _funds,
}


def _wire(value: Any) -> Any:
    return value.to_wire() if isinstance(value, Money) else value
