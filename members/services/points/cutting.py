"""What a refund takes of each earning, and out of what."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db.models import Sum

from members import earn_terms
from members.models import Earning, EarnRule, Member, Purchase
from members.services.points import accounts, earning
from members.services.points.accounts import Accounts, pts, qpt
from members.services.points.giving import ORIGIN
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Lot, Posting

TakeBack = EarnRule.TakeBack
State: Final = Earning.State


def earning_left(purchase: Purchase) -> int:
    """How much of the purchase still earns after what is refunded by now."""
    return earn_terms.part_left(
        purchase.earning_minor, amount_minor=purchase.amount_minor, refunded_minor=purchase.refunded_minor
    )


def kept(each: Earning, purchase: Purchase) -> tuple[int, int]:
    """How many points, and how many qualifying points, the rest of the purchase leaves earned."""
    rest = earning_left(purchase)
    points = min(each.points, earning.worth(each.rule, rest, each.earn_bp))
    return points, min(each.qualifying, earning.worth_flat(each.rule, rest))


@dataclass(slots=True)
class Cut:
    """One refund's cut of a purchase's earnings: first each one's own points, and then what else is there.

    ``also_alive`` points come back to the member in the same act, before anything is taken.
    """

    purchase: Purchase
    theirs: Accounts
    today: date
    also_alive: int = 0
    from_pending: int = 0
    from_points: int = 0
    from_debt: int = 0
    owed: int = 0
    qualifying: int = 0
    undos: list[ledger.Undo] = field(default_factory=list)

    @property
    def gone(self) -> bool:
        """Who has left gave up all they had, and owes nothing any more."""
        return self.purchase.member.state == Member.State.CLOSED

    @property
    def out_of_points(self) -> int:
        """How much of what is taken comes out of points that can be spent."""
        return self.from_points + sum(undo.amount.minor for undo in self.undos if undo.amount)

    def down(self, earnings: list[Earning]) -> None:
        """Set the columns of each earning to what becomes of it; saving them is the caller's."""
        rests = [self._excess(each) for each in earnings]
        own = _Own(self.theirs, self.today, {each.expires_on for each in earnings if each.expires_on})
        rests = [self._own(each, rest, own) for each, rest in zip(earnings, rests, strict=True)]
        alive = _alive(self.theirs, self.today) + self.also_alive - sum(u.amount.minor for u in self.undos if u.amount)
        for each, rest in zip(earnings, rests, strict=True):
            alive -= self._others(each, rest, alive)
            if each.undone == each.points:
                each.state = State.TAKEN_BACK

    def entries(self) -> list[ledger.Entry]:
        issuer, entries = accounts.issuer(), list[ledger.Entry](self.undos)
        for minor, source in (
            (self.from_pending, self.theirs.pending),
            (self.from_points, self.theirs.points),
            (self.from_debt, self.theirs.debt),
        ):
            if minor:
                entries.append(ledger.Move(pts(minor), source, issuer))
        if self.qualifying:
            entries.append(ledger.Move(qpt(self.qualifying), self.theirs.qualifying, accounts.standard()))
        return entries

    def _excess(self, each: Earning) -> int:
        points, qualifying = kept(each, self.purchase)
        taken = each.qualifying - each.taken_qualifying - qualifying
        each.taken_qualifying += taken
        self.qualifying += taken
        return each.points - each.undone - points

    def _own(self, each: Earning, rest: int, own: "_Own") -> int:
        """Take what is pending, or of the very points that were given; how much is still to be taken."""
        if each.state == State.PENDING:
            each.taken_pending += rest
            self.from_pending += rest
            return 0
        if each.rule.take_back == TakeBack.PENDING:
            each.forgiven += rest
            return 0
        if not rest or each.expires_on is None:
            return rest

        posting = _giving(each, self.purchase, self.theirs)
        left = posting.amount_minor - (posting.reversals.aggregate(total=Sum("amount_minor"))["total"] or 0)
        taken = own.take_alive(each.expires_on, min(rest, left))
        if taken:
            self.undos.append(ledger.Undo(posting, pts(taken)))
            each.taken_points += taken
            # Given out of pending, they go back there first, and on to the house from there.
            self.from_pending += taken if posting.source_id == self.theirs.pending.pk else 0
        lapsed = own.claim_lapsed(each.expires_on, min(rest - taken, left - taken - each.lapsed))
        each.lapsed += lapsed
        return rest - taken - lapsed

    def _others(self, each: Earning, rest: int, alive: int) -> int:
        """Take the rest as the rule allows; how much of the member's other points that took."""
        points = min(rest, alive)
        again = 0 if self.gone else min(rest - points, each.repaid_debt - each.taken_repaid)
        each.taken_points += points
        each.taken_repaid += again
        self.from_points += points
        self.from_debt += again
        rest -= points + again
        if each.rule.take_back == TakeBack.DEBT and not self.gone:
            each.taken_debt += rest
            self.from_debt += rest
            self.owed += rest
        else:
            each.forgiven += rest
        return points


class _Own:
    """The lots that earnings were given in, by their last day: what is alive in them, and what lapsed unclaimed."""

    def __init__(self, theirs: Accounts, today: date, days: set[date]) -> None:
        lots = Lot.objects.filter(account=theirs.points, origin=ORIGIN, expires_on__in=days)
        claimed = dict(
            Earning.objects.filter(member__pk=int(theirs.points.owner.removeprefix("member:")), expires_on__in=days)
            .values_list("expires_on")
            .annotate(total=Sum("lapsed"))
        )
        self.alive: dict[date, int] = {}
        self.lapsed: dict[date, int] = {}
        for lot in lots:
            dead = lot.expires_on < today
            self.alive[lot.expires_on] = 0 if dead else lot.left_minor
            unspent = lot.expired_minor + (lot.left_minor if dead else 0)
            self.lapsed[lot.expires_on] = max(0, unspent - claimed.get(lot.expires_on, 0))

    def take_alive(self, day: date, wanted: int) -> int:
        return _take(self.alive, day, wanted)

    def claim_lapsed(self, day: date, wanted: int) -> int:
        return _take(self.lapsed, day, wanted)


def _take(stock: dict[date, int], day: date, wanted: int) -> int:
    part = max(0, min(wanted, stock.get(day, 0)))
    stock[day] = stock.get(day, 0) - part
    return part


def _alive(theirs: Accounts, today: date) -> int:
    return sum(lot.left_minor for lot in Lot.objects.filter(account=theirs.points).alive(today))


def _giving(each: Earning, purchase: Purchase, theirs: Accounts) -> Posting:
    """The posting that gave the earning's points: in a journal of its own when they had waited, else the payment's."""
    given = Posting.objects.filter(target=theirs.points, reverses=None, journal__refusal__isnull=True)
    given = given.select_related("source", "target").order_by("journal", "position")
    if each.rule.pending != EarnRule.Pending.NONE:
        return given.get(journal__source=f"earning:{each.pk}", source=theirs.pending)
    at_once = purchase.earnings.filter(rule__pending=EarnRule.Pending.NONE, given_points__gt=0).order_by("pk")
    postings = given.filter(journal__source=purchase.source, source=accounts.issuer())
    found = dict(zip(at_once.values_list("pk", flat=True), postings, strict=True))
    return found[each.pk]
