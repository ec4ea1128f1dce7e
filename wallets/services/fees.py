"""Fees: what an act costs a member, said before and taken after.

Where no rule is, nothing is asked. A price comes on top of the amount; of a top-up it is taken out of what came in,
and so is never more than that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from members.models import Member
from members.services import tiers
from paymentsite.core.errors import Conflict
from paymentsite.core.money import AmountNegative, Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets import pricing
from wallets.models import FeeRule, FeeUse
from wallets.models.fees import Kind
from wallets.pricing import Line, Terms

__all__ = ["Kind", "Line", "Quote", "QuoteChanged", "confirm", "entries", "give_back", "quote", "take"]

HOUSE: Final = "fees"
INSIDE: Final = frozenset({Kind.TOP_UP})


class QuoteChanged(Conflict):
    code = "quote_changed"
    sentence = gettext_noop("The price is no longer {quoted} but {fee}. Look again before going on.")


class FeeSourceConflict(Conflict):
    code = "fee_source_conflict"
    sentence = gettext_noop("{source} was charged already, and it was something else or is over.")


@dataclass(frozen=True, slots=True)
class Quote:
    """A price, as it was at ``at``. ``lines`` say how it came about and add up to ``fee``.

    ``free_left`` is how many free ones were left this month before this one; None where the kind has none.
    """

    member: Member
    kind: Kind
    amount: Money
    lines: tuple[Line, ...]
    rule: FeeRule | None
    free_left: int | None
    free_allowed: int | None
    at: datetime

    @property
    def fee(self) -> Money:
        return pricing.total(self.lines, self.amount.unit)

    @property
    def free(self) -> bool:
        return any(line.name == "free" for line in self.lines)

    @property
    def total(self) -> Money:
        """What the wallet changes by: the amount and the fee; of a top-up the amount without it."""
        return self.amount - self.fee if self.kind in INSIDE else self.amount + self.fee


def quote(*, member: Member, kind: Kind, amount: Money, now: datetime) -> Quote:
    """What ``amount`` costs the member at ``now``, by the most specific rule and their tier's benefits."""
    if amount.minor < 0:
        raise AmountNegative(given=amount)
    tier = tiers.of(member, now)
    rule = _rule(kind, amount.unit, tier.pk, now)
    free_left = None
    if kind == Kind.WITHDRAWAL:
        free_left = max(0, tier.free_withdrawals - len(_free_numbers(member, now)))
    lines = pricing.lines(
        _terms(rule, discount_bp=tier.fee_discount_bp), amount, inside=kind in INSIDE, free=bool(free_left)
    )
    allowed = tier.free_withdrawals if kind == Kind.WITHDRAWAL else None
    return Quote(member, Kind(kind), amount, lines, rule, free_left, allowed, now)


def _rule(kind: Kind, currency: str, tier: int, now: datetime) -> FeeRule | None:
    rules = FeeRule.objects.at(now).filter(kind=kind, currency=currency)
    by_tier: dict[int | None, FeeRule] = {rule.tier_id: rule for rule in rules}
    return by_tier.get(tier) or by_tier.get(None)


def _terms(rule: FeeRule | None, *, discount_bp: int) -> Terms:
    if rule is None:
        return Terms()
    return Terms(rule.percent_bp, rule.fixed_minor, rule.minimum_minor, rule.maximum_minor, discount_bp)


def _month(member: Member, now: datetime) -> str:
    """The month on the member's calendar. Whoever changes zones may begin one early, and has no more in it."""
    return f"{member.local(now):%Y-%m}"


def _free_numbers(member: Member, now: datetime) -> set[int]:
    taken = FeeUse.objects.filter(member=member).free_in(_month(member, now))
    return {number for number in taken.values_list("free_number", flat=True) if number is not None}


def agreed(quote: Quote, shown: Money | None) -> Quote:
    """The quote, if its price is what its member was ``shown``; raises ``QuoteChanged``. Where nobody was shown one,
    whatever it is."""
    if shown is not None and shown != quote.fee:
        raise QuoteChanged(quoted=shown, fee=quote.fee)
    return quote


def confirm(quote: Quote, *, now: datetime) -> Quote:
    """The quote as it is at ``now``; raises ``QuoteChanged`` when its price is another one meanwhile.

    It is not recomputed silently: what is posted is what the member was shown, or nothing.
    """
    fresh = _again(quote, now)
    if fresh.fee != quote.fee:
        raise QuoteChanged(quoted=quote.fee, fee=fresh.fee)
    return fresh


def _again(old: Quote, now: datetime) -> Quote:
    return quote(member=old.member, kind=old.kind, amount=old.amount, now=now)


def take(*, quote: Quote, source: str, now: datetime) -> Quote:
    """Take the price, and one of the month's free ones where it is one, once per ``source``.

    The flow then posts ``entries`` of what this returns. Refused when the price has changed since it was quoted. The
    member's lock is taken here too, which is nothing where the caller holds it.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"{source} is charged in the transaction that does it")
    member = Member.objects.lock(quote.member.pk)
    if first := FeeUse.objects.filter(source=source).first():
        charged = (first.member_id, first.kind, first.currency, first.amount_minor, first.fee_minor)
        if first.given_back_at or charged != (
            member.pk,
            quote.kind,
            quote.fee.unit,
            quote.amount.minor,
            quote.fee.minor,
        ):
            raise FeeSourceConflict(source=source)
        return quote

    fresh = confirm(_of(quote, member), now=now)
    number = None
    if fresh.free:
        taken = _free_numbers(member, now)
        number = next(each for each in range(1, len(taken) + 2) if each not in taken)
    FeeUse.objects.create(
        member=member,
        source=source,
        kind=fresh.kind,
        currency=fresh.amount.unit,
        amount_minor=fresh.amount.minor,
        fee_minor=fresh.fee.minor,
        rule=fresh.rule,
        free=fresh.free,
        free_number=number,
        free_allowed=fresh.free_allowed if fresh.free else None,
        month=_month(member, now),
        lines=[[line.name, line.amount.minor] for line in fresh.lines],
        at=now,
    )
    return fresh


def _of(old: Quote, member: Member) -> Quote:
    return Quote(member, old.kind, old.amount, old.lines, old.rule, old.free_left, old.free_allowed, old.at)


def give_back(*, source: str, now: datetime) -> None:
    """The price that ``source`` took was not taken; a free one can be used again. Repeated, this does nothing.

    The money goes back with the flow's own posting.
    """
    FeeUse.objects.filter(source=source, given_back_at=None).update(given_back_at=now)


def entries(quote: Quote, account: Account) -> list[ledger.Move]:
    """What the flow posts for it, out of the wallet's ``account``; nothing where the price is zero."""
    if not quote.fee.minor:
        return []
    return [ledger.Move(quote.fee, account, ledger.house(HOUSE, quote.fee.unit))]
