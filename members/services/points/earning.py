"""Earning: what a payment earns its member, proposed to the flow that posts it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_noop

from members import earn_terms
from members.models import Earning, EarnRule, Member, Purchase
from members.services import tiers
from members.services.points import accounts, budgets
from members.services.points.giving import give
from paymentsite.core import clock
from paymentsite.core.errors import Conflict
from paymentsite.core.money import Money, UnitMismatch
from paymentsite.ledger import services as ledger

Kind, Pending, Scope = EarnRule.Kind, EarnRule.Pending, EarnRule.Scope


class EarnedAlready(Conflict):
    code = "points_earned_already"
    sentence = gettext_noop("What {source} earns was decided before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment as earn rules look at it. ``source`` names its row, ``amount`` is its price.

    ``earning`` is how much of the price earns, all of it unless said: what was paid with points does not.
    """

    amount: Money
    source: str
    at: datetime
    merchant: str = ""
    category: str = ""
    earning: Money | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Entries for the flow's one posting, and the rows that were written with them."""

    entries: tuple[ledger.Entry, ...]
    purchase: Purchase
    earnings: tuple[Earning, ...]

    @property
    def points(self) -> Money:
        return accounts.pts(sum(earning.points for earning in self.earnings))

    @property
    def qualifying(self) -> Money:
        return accounts.qpt(sum(earning.qualifying for earning in self.earnings))


def earned(*, member: Member, facts: Paid, now: datetime) -> Proposal:
    """What ``facts`` earn ``member``, whom the caller has locked.

    The caller posts all of ``entries`` once, in the transaction of this call, in a journal whose source is
    ``facts.source``. Asked again for the same source it refuses: a repeated payment is the caller's to recognise.
    """
    if Purchase.objects.filter(source=facts.source).exists():
        raise EarnedAlready(source=facts.source)
    purchase = Purchase.objects.create(
        source=facts.source,
        member=member,
        currency=facts.amount.unit,
        amount_minor=facts.amount.minor,
        earning_minor=_earning_minor(facts),
        merchant=facts.merchant,
        category=facts.category,
        at=facts.at,
    )
    earn_bp = tiers.of(member, now).earn_bp
    counting = _counting(member, purchase, earn_bp)
    earnings = [made for rule, points in counting if (made := _made(purchase, rule, points, earn_bp))]
    entries = _entries(member, earnings, now)
    Earning.objects.bulk_create(earnings)
    proposal = Proposal(tuple(entries), purchase, tuple(earnings))
    tiers.progress(
        member=member,
        source=purchase.source,
        qualifying=proposal.qualifying.minor,
        spend=purchase.earning,
        now=now,
    )
    return proposal


def _earning_minor(facts: Paid) -> int:
    if facts.earning is None:
        return facts.amount.minor
    if facts.earning.unit != facts.amount.unit:
        raise UnitMismatch(left=facts.amount.unit, right=facts.earning.unit)
    return facts.earning.minor


def _counting(member: Member, purchase: Purchase, earn_bp: int) -> list[tuple[EarnRule, int]]:
    """The rules that count for this purchase, and how many points each would give, in the order of their budgets."""
    offers = [
        (rule, points)
        for rule in _rules(purchase)
        if (points := in_reach(rule, purchase.earning_minor, earn_bp)) and _deserved(member, purchase, rule)
    ]
    return chosen(offers)


def chosen(offers: list[tuple[EarnRule, int]]) -> list[tuple[EarnRule, int]]:
    """Of those that do not stack the one that gives the most, the older one when two give the same; and all that do."""
    alone = [offer for offer in offers if not offer[0].stacks]
    best = max(alone, key=lambda offer: (offer[1], -offer[0].pk), default=None)
    counting = [offer for offer in offers if offer[0].stacks or offer is best]
    return sorted(counting, key=lambda offer: (offer[0].budget_id or 0, offer[0].pk))


def _rules(purchase: Purchase) -> list[EarnRule]:
    place = (
        Q(scope=Scope.ANY)
        | Q(scope=Scope.MERCHANT, scope_key=purchase.merchant)
        | Q(scope=Scope.CATEGORY, scope_key=purchase.category)
    )
    rules = EarnRule.objects.at(purchase.at).exclude(kind=Kind.REFERRAL).select_related("budget")
    return list(rules.filter(place, currency__in=["", purchase.currency]).order_by("pk"))


def in_reach(rule: EarnRule, paid_minor: int, earn_bp: int) -> int:
    """What ``rule`` gives for so much, its budget looked at, not taken."""
    points = worth(rule, paid_minor, earn_bp)
    return points if rule.budget is None else min(points, rule.budget.left)


def worth(rule: EarnRule, paid_minor: int, earn_bp: int) -> int:
    """What ``rule`` gives for so much, whatever its budget."""
    return earn_terms.earned(
        points=rule.points,
        per_minor=rule.per_minor,
        paid_minor=paid_minor,
        least_minor=rule.least_minor,
        earn_bp=earn_bp if rule.by_tier else earn_terms.FLAT_BP,
    )


def _deserved(member: Member, purchase: Purchase, rule: EarnRule) -> bool:
    """Whether a bonus is due; its member is locked, so that none is given twice at once."""
    match rule.kind:
        case Kind.FIRST_PURCHASE:
            # A purchase that was wholly given back was none, unless its bonus was kept.
            others = member.purchases.exclude(pk=purchase.pk)
            kept = Q(refunded_minor__lt=F("amount_minor")) | Q(earnings__rule__kind=rule.kind, earnings__forgiven__gt=0)
            return not others.filter(kept).exists()
        case Kind.BIRTHDAY:
            day = member.local(purchase.at).date()
            return _celebrates(member, day) and not _birthdays_near(member, purchase.at).exists()
    return True


def _celebrates(member: Member, day: date) -> bool:
    """Whether it is the member's birthday; who was born on a leap day has it on the last day of February."""
    if member.birthday is None:
        return False
    born = date.fromisoformat(member.birthday.decrypt().reveal())
    leaps = (born.month, born.day) == _LEAP_DAY and (day + timedelta(days=1)).month != day.month
    return (born.month, born.day) == (day.month, day.day) or (leaps and day.month == born.month)


_LEAP_DAY: Final = (2, 29)


# Less than lies between two birthdays, and more than between two zones on both sides of one New Year.
_BIRTHDAYS_APART: Final = timedelta(days=300)


def _birthdays_near(member: Member, at: datetime) -> QuerySet[Earning]:
    near = (at - _BIRTHDAYS_APART, at + _BIRTHDAYS_APART)
    return member.earnings.filter(rule__kind=Kind.BIRTHDAY, at__range=near)


def _made(purchase: Purchase, rule: EarnRule, points: int, earn_bp: int) -> Earning | None:
    earning = made(rule, points, earn_bp=earn_bp, source=purchase.source, member_id=purchase.member_id, at=purchase.at)
    if earning:
        earning.purchase, earning.qualifying = purchase, worth_flat(rule, purchase.earning_minor)
    return earning


def made(rule: EarnRule, points: int, *, earn_bp: int, source: str, member_id: int, at: datetime) -> Earning | None:
    """The earning, pending, its points taken from the rule's budget; None when that has none left."""
    if rule.budget_id is not None:
        points = budgets.take(rule.budget_id, points)
    if not points:
        return None
    return Earning(
        source=source,
        rule=rule,
        member_id=member_id,
        points=points,
        earn_bp=earn_bp,
        at=at,
        state=Earning.State.PENDING,
        pending_until=pending_until(rule, at),
    )


def worth_flat(rule: EarnRule, paid_minor: int) -> int:
    """How many qualifying points: as many as points at the rate of no tier, none where the rule says none."""
    return worth(rule, paid_minor, earn_terms.FLAT_BP) if rule.qualifies else 0


def pending_until(rule: EarnRule, at: datetime) -> datetime | None:
    """Until when what was earned at ``at`` waits; None until its payment is final."""
    if rule.pending == Pending.FINAL:
        return None
    return at + timedelta(days=rule.pending_days)


def _entries(member: Member, earnings: list[Earning], now: datetime) -> list[ledger.Entry]:
    if not earnings:
        return []
    theirs = accounts.of(member)
    entries = points_entries(earnings, theirs, now)
    if qualifying := sum(earning.qualifying for earning in earnings):
        entries.append(ledger.Move(accounts.qpt(qualifying), accounts.standard(), theirs.qualifying))
    return entries


def points_entries(earnings: list[Earning], theirs: accounts.Accounts, now: datetime) -> list[ledger.Entry]:
    """What issues the earnings' points: to the member where their rule lets them wait for nothing, else as pending."""
    owed, issuer = accounts.owed(theirs), accounts.issuer()
    entries: list[ledger.Entry] = []
    for earning in earnings:
        if earning.rule.pending == Pending.NONE:
            entries += give(earning, source=issuer, accounts=theirs, owed=owed, day=clock.day_of(now), now=now)
            owed -= earning.repaid_debt
        else:
            entries.append(ledger.Move(accounts.pts(earning.points), issuer, theirs.pending))
    return entries
