"""Members in the model: what is theirs, what they may, what it costs them. Whole numbers, and nothing of the site's.

The rules are such that they bite: some of what members ask for is more than they may, and most of it costs something.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

TRANSFER_DAY_MAX = 250
TOP_UP_DAY_MAX = 400
WITHDRAWAL_MAX = 250
WITHDRAWALS_A_DAY = 2
BALANCE_MAX = {"CNY": 500, "EUR": 60}
FREE_WITHDRAWALS = 1
TOP_UP_FEE, WITHDRAWAL_FEE = 5, 3
# In hundredths of a percent, and at least 1.
TRANSFER_BP, EXCHANGE_BP, MARGIN_BP = 200, 100, 150

_SHANGHAI = timedelta(hours=8)


def day_of(moment: datetime) -> date:
    """The day where all of them live."""
    return (moment + _SHANGHAI).date()


def part(minor: int, bp: int) -> int:
    """So much of ``minor``, rounded half up, and at least 1."""
    return max(1, (minor * bp * 2 + 10_000) // 20_000)


@dataclass(eq=False)
class Use:
    """What an act took: of the day's limits as long as it ``counts``, of fees as long as it is ``charged``."""

    kind: str
    minor: int
    fee: int
    day: date
    free: bool = False
    counts: bool = True
    charged: bool = True

    def give_back(self) -> None:
        self.counts = self.charged = False


@dataclass
class Person:
    """A member: what is theirs, what of that is set aside, and whether they may act."""

    number: int
    posted: int
    held: int = 0
    euros: int = 0
    suspended: bool = False
    frozen: bool = False
    uses: list[Use] = field(default_factory=list)
    # Points by their last day, and those that wait: until when, and how many.
    lots: dict[date, int] = field(default_factory=dict)
    waiting: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def available(self) -> int:
        return self.posted - self.held

    @property
    def points(self) -> int:
        return sum(self.lots.values())

    def cannot_send(self, minor: int, now: datetime) -> str:
        """Why they cannot, in the code of the refusal; nothing when they can."""
        if self.suspended:
            return "member_suspended"
        if self.frozen:
            return "wallet_frozen"
        if self.used("transfer", now) + minor > TRANSFER_DAY_MAX:
            return "limit_exceeded"
        return "" if minor + part(minor, TRANSFER_BP) <= self.available else "insufficient_funds"

    def used(self, kind: str, now: datetime) -> int:
        return sum(use.minor for use in self.of_today(kind, now))

    def of_today(self, kind: str, now: datetime) -> list[Use]:
        return [use for use in self.uses if use.counts and use.kind == kind and use.day == day_of(now)]

    def use(self, kind: str, minor: int, fee: int, now: datetime, *, free: bool = False) -> Use:
        self.uses.append(Use(kind, minor, fee, day_of(now), free))
        return self.uses[-1]

    def pays_to_withdraw(self, now: datetime) -> int:
        month = day_of(now).replace(day=1)
        free = [use for use in self.uses if use.free and use.charged and use.day.replace(day=1) == month]
        return 0 if len(free) < FREE_WITHDRAWALS else WITHDRAWAL_FEE
