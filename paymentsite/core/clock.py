"""The only source of now.

In a sandbox the clock can be moved forward, and what falls due on the way happens in order. In production
it is the machine's clock, and nothing that is stored can change it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import monotonic, sleep
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_noop

from paymentsite.core import jobs
from paymentsite.core.errors import Forbidden, Invalid, Unavailable, as_moment
from paymentsite.core.models.clock import ClockShift
from paymentsite.core.models.jobs import JobRun

LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_ROUNDS_MAX: Final = 10
_SHIFT: Final = "SELECT shift FROM core_clockshift WHERE id = %s"


class ClockFixed(Forbidden):
    code = "clock_fixed"
    sentence = gettext_noop("The clock can be moved in a sandbox only, and this is none (SANDBOX is not set).")


class ClockBackwards(Invalid, now=as_moment, asked=as_moment):
    code = "clock_backwards"
    sentence = gettext_noop("The clock moves forward only: it is {now} already, {asked} was asked for.")


class ClockTooFar(Invalid, last=as_moment):
    code = "clock_too_far"
    sentence = gettext_noop("The clock ends at {last}.")


class ClockBusy(Unavailable, now=as_moment):
    code = "clock_busy"
    sentence = gettext_noop("The clock waits at {now}, because {jobs} is under way in another process.")


_standing: ContextVar[datetime | None] = ContextVar("standing", default=None)
# What an act has read of the sandbox's clock: nothing yet, or how far it is ahead.
_read: ContextVar[list[timedelta] | None] = ContextVar("read", default=None)


def now() -> datetime:
    """The present moment in UTC, as the business sees it."""
    machine = datetime.now(UTC)
    if not settings.SANDBOX:
        return machine
    # Read by each act anew: a clock that another process has moved must be seen to have moved.
    return _standing.get() or machine + shift()


def today(zone: str | None = None) -> date:
    """The date now in ``zone``, by default the business's: the day it is for the books."""
    return day_of(now(), zone)


def day_of(moment: datetime, zone: str | None = None) -> date:
    """The date of ``moment`` in ``zone``, by default the business's."""
    return local(moment, zone).date()


def local(moment: datetime, zone: str | None = None) -> datetime:
    """``moment`` as clocks show it in ``zone``, by default the business's."""
    return moment.astimezone(ZoneInfo(zone or settings.BUSINESS_TIME_ZONE))


def shift() -> timedelta:
    """How far the sandbox's clock is ahead of the machine's."""
    read = _read.get()
    if read:
        return read[0]
    ahead = _ahead()
    if read is not None:
        read.append(ahead)
    return ahead


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, the sandbox's clock is looked at once and goes on from there: for an act, which asks several times."""
    if not settings.SANDBOX or _read.get() is not None:
        yield
        return
    token = _read.set([])
    try:
        yield
    finally:
        _read.reset(token)


def _ahead() -> timedelta:
    # By hand: every act of a sandbox asks, and putting the question together took most of the time.
    with connection.cursor() as cursor:
        cursor.execute(_SHIFT, [ClockShift.THE_ROW])
        found = cursor.fetchone()
    if found is None:
        return timedelta(0)
    [stored] = found
    # What a duration is kept as on SQLite.
    return stored if isinstance(stored, timedelta) else timedelta(microseconds=stored)


@contextmanager
def standing(moment: datetime) -> Iterator[None]:
    """In a sandbox, let it be exactly ``moment`` for what runs inside, in this thread alone."""
    token = _standing.set(moment)
    try:
        yield
    finally:
        _standing.reset(token)


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock was moved from ``start`` to ``end``, and ``runs`` happened on the way."""

    start: datetime
    end: datetime
    runs: list[JobRun]


def advance(
    *,
    by: timedelta | None = None,
    to: datetime | None = None,
    schedule: jobs.Schedule = jobs.schedule,
    patience: timedelta = timedelta(seconds=30),
) -> Advance:
    """Move the sandbox's clock forward; whatever is due on the way happens in order, each at its own moment.

    While a job runs, ``now()`` is its due moment, for it alone; the other processes see the clock arrive
    when the work of that moment is done. Refused outside a sandbox, backwards, and with ``ClockBusy``
    when another process is longer than ``patience`` at work on a job that is due: the clock then stays
    where it got to.
    """
    start, end = _journey(by=by, to=to)

    runs: list[JobRun] = []
    moment: datetime | None = start
    while moment is not None and moment < end:
        ran, moment = _stop(moment, schedule=schedule, since=start, patience=patience)
        runs += ran
    ran, _ = _stop(end, schedule=schedule, since=start, patience=patience)
    return Advance(start, end, [*runs, *ran])


def _journey(*, by: timedelta | None, to: datetime | None) -> tuple[datetime, datetime]:
    if not settings.SANDBOX:
        raise ClockFixed

    start = now()
    if by is not None and to is None:
        try:
            to = start + by
        except OverflowError:
            raise ClockTooFar(last=LAST) from None
    elif by is not None or to is None:
        raise TypeError("the clock is moved either by a time or to a moment")
    if to < start:
        raise ClockBackwards(now=start, asked=to)
    if to > LAST:
        raise ClockTooFar(last=LAST)
    return start, to.astimezone(UTC)


def _stop(
    moment: datetime, *, schedule: jobs.Schedule, since: datetime, patience: timedelta
) -> tuple[list[JobRun], datetime | None]:
    """Do what is due at ``moment``, and what that makes due at once; then show the clock there to all.

    Gives back what ran, and where to stop next.
    """
    runs: list[JobRun] = []
    deadline = monotonic() + patience.total_seconds()
    rounds = 0
    with standing(moment):
        while rounds < _ROUNDS_MAX:  # a job that leaves its own rows due is not asked for ever
            tick = schedule.tick(moment, since=since, in_order=True)
            runs += tick.ran
            if tick.busy:
                if monotonic() >= deadline:
                    raise ClockBusy(now=moment, jobs=tick.busy)
                sleep(0.02)
            elif not tick.ran:  # and so nothing was owed: whoever looks for that knows what comes next, too
                _show(moment)
                return runs, tick.later
            elif any(run.state == JobRun.State.DONE for run in tick.ran):
                rounds += 1
            else:
                break
    _show(moment)
    return runs, schedule.next_due(moment)


def _show(moment: datetime) -> None:
    """Move the stored clock to ``moment``, unless it is later there already."""
    ahead = moment - datetime.now(UTC)
    if read := _read.get():
        read.clear()
    ClockShift.objects.bulk_create([ClockShift()], ignore_conflicts=True)
    ClockShift.objects.filter(pk=ClockShift.THE_ROW, shift__lt=ahead).update(shift=ahead)
