"""Points as members and the house look at them: what is there, what expires when, and what it is all worth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, F, QuerySet, Subquery, Sum, When
from django.db.models.functions import TruncMonth

from members.models import Member, PointValue
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.core.rounding import Rounding, divide
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Account, Lot, Posting
from paymentsite.ledger.models import Balance as Standing
from paymentsite.ledger.models.lots import NEVER

SOON: Final = timedelta(days=30)
HOUSE: Final = "house:paymentsite"


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's points. ``debt`` is what they owe; ``expiring`` is what is lost, by its last day, unless spent."""

    available: Money
    pending: Money
    debt: Money
    qualifying: Money
    expiring: tuple[tuple[date, Money], ...]


def balance(member: Member, now: datetime, soon: timedelta = SOON) -> Balance:
    """What ``member`` has at ``now``. What is dead counts no more, whether or not the night has booked it yet."""
    accounts = {
        account.code: account for account in Account.objects.filter(owner=member.owner, unit__in=["PTS", "QPT"])
    }
    standings = books.standings(accounts.values())
    today = clock.day_of(now)

    def on(code: str) -> int:
        return standings[accounts[code].pk].posted.minor if code in accounts else 0

    lots = Lot.objects.filter(account__in=[a for a in accounts.values() if a.code == "points"]).alive(today)
    by_day: dict[date, int] = {}
    for lot in lots.order_by("expires_on"):
        by_day[lot.expires_on] = by_day.get(lot.expires_on, 0) + lot.left_minor
    return Balance(
        available=Money(sum(by_day.values()), "PTS"),
        pending=Money(on("points_pending"), "PTS"),
        debt=Money(-on("points_debt"), "PTS"),
        qualifying=Money(on("qualifying"), "QPT"),
        expiring=tuple((day, Money(left, "PTS")) for day, left in by_day.items() if day <= today + soon),
    )


def history(member: Member, **page: Any) -> books.Statement | None:
    """The member's points, line by line, latest first, as ``ledger.queries.statement`` pages them; None without any."""
    account = Account.objects.filter(owner=member.owner, code="points", unit="PTS").first()
    return None if account is None else books.statement(account, **page)


def value_at(moment: datetime) -> PointValue | None:
    """What points are worth at ``moment``, in the currency in which that was said first; None while nobody has said.

    They are worth something in others too, each said by itself: a debt of ours is told in one.
    """
    said = PointValue.objects.filter(starts_at__lte=moment)
    first = said.order_by("starts_at", "pk").values("currency")[:1]
    return said.filter(currency=Subquery(first)).order_by("-starts_at", "-pk").first()


def worth(points: int, value: PointValue | None) -> Money | None:
    """What so many points are worth, rounded down; None where nobody has said what a point is."""
    if value is None:
        return None
    return Money(divide(points * value.value_minor, value.points, Rounding.DOWN), value.currency)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Points that members can spend until a month's end (None: for ever), and what that would cost us."""

    month: date | None
    points: int
    worth: Money | None


def outstanding(now: datetime) -> list[Outstanding]:
    """The liability, by the month in which it ends; what is set aside by holds is in it, what is pending is not."""
    value = value_at(now)
    by_month: dict[date | None, int] = {}
    lots = Lot.objects.filter(account__in=_accounts(), expires_on__gte=clock.day_of(now))
    for day, left in lots.values_list("expires_on").annotate(left=Sum(_OUTSTANDING)).order_by():
        month = None if day == NEVER else day.replace(day=1)
        by_month[month] = by_month.get(month, 0) + left
    months = sorted((month for month in by_month if by_month[month]), key=lambda month: month or NEVER)
    return [Outstanding(month, by_month[month], worth(by_month[month], value)) for month in months]


_OUTSTANDING: Final = F("issued_minor") - F("used_minor") - F("expired_minor")


@dataclass(slots=True)
class Month:
    """What happened to members' points in a month of the business; ``other`` is what was moved by hand, in less out."""

    month: date
    given: int = 0
    spent: int = 0
    expired: int = 0
    taken_back: int = 0
    other: int = 0

    @property
    def breakage_bp(self) -> int | None:
        """How much of what was given was as much as expired, in basis points; None where nothing was given."""
        return divide(self.expired * 10_000, self.given, Rounding.HALF_UP) if self.given else None


def months() -> list[Month]:
    """Month by month, the latest first: points given, spent less what came back, expired, taken back."""
    found: dict[date, Month] = {}
    for sign, side, other_side in ((1, "target", "source"), (-1, "source", "target")):
        postings = Posting.objects.filter(**{f"{side}__in": _accounts()})
        at = TruncMonth("journal__recorded_at", tzinfo=ZoneInfo(settings.BUSINESS_TIME_ZONE))
        ours = Case(When(**{f"{other_side}__owner": HOUSE, "then": True}), default=False)
        groups = postings.annotate(month=at, ours=ours).values_list("month", f"{other_side}__code", "ours")
        for moment, code, is_ours, total in groups.annotate(total=Sum("amount_minor")).order_by():
            month = found.setdefault(moment.date(), Month(moment.date()))
            _count(month, code if is_ours or code == "points_pending" else "", sign * total)
    return sorted(found.values(), key=lambda month: month.month, reverse=True)


def _count(month: Month, code: str, minor: int) -> None:
    match code:
        case "points" | "points_pending" if minor > 0:
            month.given += minor
        case "points" | "points_pending":
            month.taken_back -= minor
        case "rewards":
            month.spent -= minor
        case "breakage":
            month.expired -= minor
        case _:
            month.other += minor


@dataclass(frozen=True, slots=True)
class Totals:
    """All members together: what they have, what waits, what they owe."""

    points: int
    pending: int
    debt: int
    worth: Money | None


def totals(now: datetime) -> Totals:
    """As it stands at ``now``; what lapsed by then and is not booked yet counts no more."""
    sums = dict(
        Standing.objects.filter(
            account__unit="PTS",
            account__owner__startswith="member:",
            account__code__in=["points_pending", "points_debt"],
        )
        .values_list("account__code")
        .annotate(total=Sum("posted_minor"))
    )
    points = sum(each.points for each in outstanding(now))
    pending, debt = sums.get("points_pending", 0), -sums.get("points_debt", 0)
    return Totals(points, pending, debt, worth(points, value_at(now)))


def _accounts() -> QuerySet[Account]:
    return Account.objects.filter(code="points", unit="PTS", owner__startswith="member:")


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points of one member that are lost after ``day`` unless spent."""

    owner: str
    day: date
    points: int


def expiring(first: date, last: date) -> Iterator[Expiring]:
    """What members lose after days from ``first`` through ``last``, member by member and day by day."""
    lots = Lot.objects.with_left().filter(account__in=_accounts(), expires_on__gte=first, expires_on__lte=last)
    by_day = lots.values_list("account__owner", "expires_on").annotate(left=Sum(_LEFT))
    for owner, day, left in by_day.order_by("expires_on", "account__owner").iterator(1_000):
        yield Expiring(owner, day, left)


_LEFT: Final = _OUTSTANDING - F("held_minor")
