"""A standing order in the model: its due days, and what became of each."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from tests.wallets.histories.people import day_of

AMOUNT_MAX = 100
DAYS = {"once": 0, "day": 1, "week": 7}
TRIES_MAX, REFUSED_MAX, AGAIN_AFTER = 2, 3, timedelta(hours=4)


def nine(day: date) -> datetime:
    """Nine o'clock in Shanghai."""
    return datetime.combine(day, time(1), UTC)


@dataclass
class Ordered:
    pk: int
    one: int
    other: int
    minor: int
    every: str
    starts: date
    count: int
    day: date | None
    at: datetime
    state: str = "open"
    done: int = 0
    refused: int = 0
    tries: int = 0
    days: dict[date, str] = field(default_factory=dict)

    def after(self, day: date) -> date | None:
        """The due day after ``day``."""
        if day < self.starts:
            return self.starts
        step = DAYS[self.every]
        return day + timedelta(days=step - (day - self.starts).days % step) if step else None

    def following(self) -> date | None:
        return self.after(self.day) if self.day and self.done + 1 < self.count else None

    def give_up_today(self) -> None:
        for day, fate in self.days.items():
            if fate == "waiting":
                self.days[day] = "refused"
                self.done += 1
                self.tries = 0

    def stop(self, state: str) -> None:
        self.state, self.day = state, None

    def go_on(self, now: datetime) -> None:
        """From a pause, with the first due day that is still to come."""
        self.state, self.refused = "open", 0
        self.day = self.to_come(now)
        assert self.day
        self.at = nine(self.day)

    def to_come(self, now: datetime) -> date | None:
        if self.done >= self.count:
            return None
        day = self.after(max([day_of(now) - timedelta(days=1), *self.days]))
        while day and nine(day) <= now:
            day = self.after(day)
        return day
