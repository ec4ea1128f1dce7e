"""Rules, payments and refunds to arrange tests of points with: flows as a higher app writes them."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from members.models import EarnBudget, Earning, EarnRule, Member, Purchase
from members.services import points
from members.services.points import Paid, Proposal, TakenBack
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests.factories import cny, pts
from tests.terms import told

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def rule(code: str = "base", **fields: Any) -> EarnRule:
    """One point for each yuan, given at once and never expiring, unless told otherwise."""
    amount = {"points": 1, "per_minor": 100, "currency": "CNY"} if fields.get("kind", "amount") == "amount" else {}
    kind = {"version": 1, "name_en": code, "kind": "amount", "starts_at": LONG_AGO}
    return told(EarnRule.objects.create(code=code, **{**kind, **amount, **fields}))


def budget(total: int, code: str = "campaign") -> EarnBudget:
    return told(EarnBudget.objects.create(code=code, total=total))


@transaction.atomic
def pay(member: Member, minor: int, *, source: str, spending: int = 0, currency: str = "CNY", **facts: Any) -> Proposal:
    """A payment that earns, in one journal whose source it is; ``spending`` points were part of it."""
    locked, now = Member.objects.lock(member.pk), clock.now()
    paid = Paid(amount=Money(minor, currency), source=source, at=facts.pop("at", now), **facts)
    proposal = points.earned(member=locked, facts=paid, now=now)
    entries = [*points.spent(member=locked, points=pts(spending)), *proposal.entries]
    if entries:
        ledger.post(*entries, kind="payment", scope="test.payments", reference=source, source=source)
    return proposal


@transaction.atomic
def refund(source: str, minor: int | None = None, *, cause: str) -> TakenBack:
    """A refund of some of a payment, or all that is left."""
    Member.objects.lock(Purchase.objects.get(source=source).member_id)
    taken = points.taken_back(source=source, cause=cause, part=None if minor is None else cny(minor), now=clock.now())
    if taken.entries:
        ledger.post(*taken.entries, kind="refund", scope="test.refunds", reference=cause, source=cause)
    return taken


@transaction.atomic
def spend(member: Member, minor: int, *, reference: str) -> None:
    moves = points.spent(member=Member.objects.lock(member.pk), points=pts(minor))
    ledger.post(*moves, kind="redemption", scope="test.spending", reference=reference)


def standing(member: Member) -> tuple[int, int, int, int]:
    """Points, pending, debt, qualifying points."""
    theirs = points.of(member)
    accounts = (theirs.points, theirs.pending, theirs.debt, theirs.qualifying)
    found = books.standings(accounts)
    return tuple(found[account.pk].posted.minor for account in accounts)


def earning(source: str) -> Earning:
    return Earning.objects.get(source=source)


def house(code: str, unit: str = "PTS") -> int:
    return books.standing(ledger.house(code, unit)).posted.minor


def after(days: int) -> AbstractContextManager[None]:
    """So many days later."""
    return clock.standing(clock.now() + timedelta(days=days))


def freeze(who: Member, status: str = "frozen") -> None:
    ledger.set_status(account=points.of(who).points, status=status, by=SYSTEM, reason="a court says so")
