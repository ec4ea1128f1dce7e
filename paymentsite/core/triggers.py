"""When a job is due: at every interval, at a time of the business day, or when its rows say so."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings

from paymentsite.core.ids import EPOCH

_MOMENT: Final = timedelta(microseconds=1)
# What its runs leave due again and again cannot be done now: so often it is tried at once, then no oftener than so.
AGAIN_MAX: Final = 5
STUCK_FOR: Final = timedelta(minutes=1)

# "The earliest moment later than ``after`` at which something still open falls due."
Due = Callable[[datetime], datetime | None]


class Last(NamedTuple):
    """The latest slot of a job yet: how it ended, and for which time in a row it took up what was left due."""

    slot: datetime
    done: bool = True
    again: int = 0


class Look(NamedTuple):
    """What a trigger says at a moment: the slot that is owed, or else the first moment later at which one will be.

    ``again`` says for which time in a row the slot takes up what the run before left due.
    """

    owed: datetime | None
    later: datetime | None
    again: int = 0


class Trigger(Protocol):
    def look(self, now: datetime, *, last: Last) -> Look:
        """The slot to run at ``now``, if any.

        However many were missed, one is owed: a job asks what is due, not how often it should have been
        called.
        """

    def next(self, after: datetime) -> datetime | None:
        """The first moment later than ``after`` at which the job falls due."""


class _Recurring(ABC):
    @abstractmethod
    def latest(self, now: datetime) -> datetime:
        """The last slot that is not later than ``now``."""

    @abstractmethod
    def next(self, after: datetime) -> datetime:
        """The first slot that is later than ``after``."""

    def look(self, now: datetime, *, last: Last) -> Look:
        slot = self.latest(now)
        if slot > last.slot or (slot == last.slot and not last.done):
            return Look(slot, None)
        return Look(None, self.next(now))


@dataclass(frozen=True, slots=True)
class Every(_Recurring):
    """Each ``interval`` since 1970, so that every scheduler counts the same slots."""

    interval: timedelta

    def __post_init__(self) -> None:
        if self.interval <= timedelta(0):
            raise ValueError("an interval is longer than nothing")

    def latest(self, now: datetime) -> datetime:
        return EPOCH + (now - EPOCH) // self.interval * self.interval

    def next(self, after: datetime) -> datetime:
        return self.latest(after) + self.interval


@dataclass(frozen=True, slots=True)
class Daily(_Recurring):
    """Once each day at ``at`` on the business's clocks.

    A time that the clocks skip is made up for by the length of the leap; one that they show twice counts
    once, the first time.
    """

    at: time

    def latest(self, now: datetime) -> datetime:
        return max(slot for slot in self._around(now) if slot <= now)

    def next(self, after: datetime) -> datetime:
        return min(slot for slot in self._around(after) if slot > after)

    def _around(self, moment: datetime) -> list[datetime]:
        zone = ZoneInfo(settings.BUSINESS_TIME_ZONE)
        today = moment.astimezone(zone).date()
        # Two days each way: a leap can carry a slot over midnight, and a zone that changed sides skips a day.
        return [self._on(today + timedelta(days=days), zone) for days in range(-2, 3)]

    def _on(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Rows:
    """Exactly when a row falls due."""

    due: Due

    def look(self, now: datetime, *, last: Last) -> Look:
        return self.judge(self.due(EPOCH), now, last=last)

    def judge(self, first: datetime | None, now: datetime, *, last: Last) -> Look:
        """The same where it is known when the first row falls due."""
        if first is None or first > now:
            # A run that failed, or died after its last row was done, is ended by another one.
            return Look(None, first) if last.done else Look(last.slot, None, last.again)
        if first > last.slot:
            return Look(first, None)
        if not last.done:
            return Look(last.slot, None, last.again)
        # A row that was committed late, or left over by a run that took only so many: the moment is taken.
        if last.again < AGAIN_MAX:
            return Look(last.slot + _MOMENT, None, last.again + 1)
        return self._stuck(now, last)

    def _stuck(self, now: datetime, last: Last) -> Look:
        """Its rows are left due again and again: those keep no other waiting, and are tried from time to time."""
        fresh = self.due(last.slot)
        if fresh is not None and fresh <= now:
            return Look(fresh, None, AGAIN_MAX - 1)
        return Look(now, None, last.again) if now >= last.slot + STUCK_FOR else Look(None, fresh)

    def next(self, after: datetime) -> datetime | None:
        return self.due(after)
