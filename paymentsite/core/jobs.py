"""Everything that time does: one registry, and what runs it.

A job is a function in some app's ``tasks`` module that takes ``now`` and may be called at any time, twice, or
late: it asks the rows what is due. What is done is a ``JobRun``; the scheduler's message is only a nudge.

    @job("ledger.expire_holds", due=queries.next_expiry)
    def expire_holds(*, now: datetime) -> str: ...
"""

import logging
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from paymentsite.core import waiting
from paymentsite.core.errors import plain
from paymentsite.core.ids import EPOCH
from paymentsite.core.models.jobs import JobRun
from paymentsite.core.triggers import AGAIN_MAX, Daily, Due, Every, Last, Rows, Trigger
from paymentsite.core.waiting import Anything, First

logger = logging.getLogger(__name__)

RESULT_MAX: Final = 2_000
# What ran for a moment later than so was a clock that went wrong: it is passed over, so that nothing waits for that
# moment to come, and forgotten, so that what is due then is done.
AHEAD_MAX: Final = timedelta(hours=1)


class Work(Protocol):
    """What a job does; the text that it returns is kept as the run's result."""

    def __call__(self, *, now: datetime) -> str | None: ...


WorkT = TypeVar("WorkT", bound=Work)


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    trigger: Trigger
    work: Work
    lease: timedelta
    stops: bool
    where: Anything | None = None

    @property
    def asks(self) -> First | Anything | None:
        """What of its rows is asked together with those of all other jobs."""
        if isinstance(self.trigger, Rows):
            return self.trigger.due if isinstance(self.trigger.due, First) else None
        return self.where

    @property
    def kept(self) -> timedelta:
        """How long its runs are remembered: a sweeper of every second would fill the table."""
        return timedelta(days=90) if self.stops else timedelta(days=1)

    def lapsed(self) -> Q:
        """Runs whose process must have died: still running, longer than the lease by the database's time."""
        return Q(state=JobRun.State.RUNNING, started_at__lt=Now() - self.lease)


@dataclass(slots=True)
class Tick:
    """What one tick did, in order, and which jobs it left because they are under way elsewhere.

    ``later`` is the first moment at which a moved clock has to stop next, as long as nothing was owed.
    """

    ran: list[JobRun] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    later: datetime | None = None


class Owed(NamedTuple):
    """A slot that a job is to run, and its run before."""

    job: Job
    slot: datetime
    again: int
    last: JobRun | None


class Schedule:
    """Jobs by name."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def job(
        self,
        name: str,
        *,
        every: timedelta | None = None,
        daily: str | None = None,
        due: Due | None = None,
        lease: timedelta = timedelta(minutes=10),
        stops: bool = True,
        where: Callable[[], QuerySet[Any, Any]] | None = None,
    ) -> Callable[[WorkT], WorkT]:
        """Register a function under ``name``, due ``every`` interval, ``daily`` at a time, or when
        ``due`` says.

        ``due(after)`` is the earliest moment later than ``after`` at which something still open falls
        due. A run that is not finished within ``lease`` counts as crashed. A sandbox clock that is moved
        does not stop for a job with ``stops=False``, which then runs where the clock stops for others:
        for sweepers of seconds. One that has ``where`` is left alone as long as there are no such rows.
        """
        trigger = _trigger(every=every, daily=daily, due=due)

        def register(work: WorkT) -> WorkT:
            if name in self.jobs:
                raise TypeError(f"there is a job {name!r} already")
            self.jobs[name] = Job(name, trigger, work, lease, stops, Anything(where) if where else None)
            return work

        return register

    def next_due(self, after: datetime) -> datetime | None:
        """The first moment later than ``after`` at which a moved clock has to stop."""
        moments = [job.trigger.next(after) for job in self.jobs.values() if job.stops]
        return min((moment for moment in moments if moment), default=None)

    def tick(self, now: datetime, *, since: datetime = EPOCH, in_order: bool = False) -> Tick:
        """Run what is due at ``now``, by due moment, then by name. Safe twice, at once, late and out of turn.

        A slot is done once, whoever asks; a job never runs beside itself; one that fails keeps no other from
        running and is tried again at the next tick. A job that never ran owes what fell due after ``since``.
        With ``in_order`` the first job that is under way elsewhere ends the tick.
        """
        owed, later = self._look(now, since)
        tick = Tick(later=later)
        for each in owed:
            run = _claim(each, now)
            if run is not None:
                tick.ran.append(_work(each.job, run, now))
                continue
            tick.busy.append(each.job.name)
            if in_order:
                break
        return tick

    def _look(self, now: datetime, since: datetime) -> tuple[list[Owed], datetime | None]:
        """What is owed, in order, and when the next job is that a moved clock stops for."""
        owed, stops, latest, firsts = [], [], _latest(self.jobs, now), self._firsts()
        for job in self.jobs.values():
            run = latest.get(job.name)
            last = Last(run.slot, run.state == JobRun.State.DONE, run.again) if run else Last(since)
            if isinstance(job.trigger, Rows) and job.name in firsts:
                look = job.trigger.judge(firsts[job.name], now, last=last)
            elif job.where and last.done and firsts[job.name] is None:
                continue
            else:
                look = job.trigger.look(now, last=last)
            if look.owed:
                owed.append(Owed(job, look.owed, look.again, run))
            if look.later and job.stops:
                stops.append(look.later)
        return sorted(owed, key=lambda item: (item.slot, item.job.name)), min(stops, default=None)

    def _firsts(self) -> dict[str, datetime | None]:
        """When the first row of each job that says so falls due, or fell."""
        asks = {name: asked for name, job in self.jobs.items() if (asked := job.asks)}
        return dict(zip(asks, waiting.ask(list(asks.values()), after=EPOCH), strict=True))


# All at once, each off the end of its index: asked for one by one they were most of what a tick costs.
_LATEST: Final = """
WITH wanted (name) AS (VALUES {names})
SELECT run.* FROM wanted JOIN core_jobrun run ON run.id = (
    SELECT id FROM core_jobrun WHERE core_jobrun.name = wanted.name AND slot <= %s ORDER BY slot DESC LIMIT 1
)
"""


def ahead(now: datetime) -> QuerySet[JobRun]:
    """What ran for a moment that has not come."""
    return JobRun.objects.filter(slot__gt=now + AHEAD_MAX)


def _latest(names: Collection[str], now: datetime) -> dict[str, JobRun]:
    """The last run of each job that ever ran."""
    if not names:
        return {}
    values = ", ".join(["(%s)"] * len(names))
    runs = JobRun.objects.raw(_LATEST.format(names=values), [*names, now + AHEAD_MAX])
    return {run.name: run for run in runs}


def _trigger(*, every: timedelta | None, daily: str | None, due: Due | None) -> Trigger:
    given: list[Trigger] = []
    if every is not None:
        given.append(Every(every))
    if daily is not None:
        given.append(Daily(time.fromisoformat(daily)))
    if due is not None:
        given.append(Rows(due))
    if len(given) != 1:
        raise TypeError("a job is due either every interval, or daily, or when its rows say so")
    return given[0]


def _claim(owed: Owed, now: datetime) -> JobRun | None:
    """Make the slot ours, or nothing when another process has it, had it, or runs this job now."""
    job, slot, _, last = owed
    try:
        with transaction.atomic():
            run = _retake(job, last) if last and slot == last.slot else _take(owed)
    except IntegrityError:
        return None

    # From here on nobody else can start this job; whoever did since we looked has left a later slot.
    if run and JobRun.objects.filter(name=job.name, slot__gt=slot, slot__lte=now + AHEAD_MAX).exists():
        _finish(run, JobRun.State.DONE, "overtaken by a later run")
        return None
    return run


def _take(owed: Owed) -> JobRun:
    job, slot, again, last = owed
    if last and last.state == JobRun.State.RUNNING:
        # While it may live, the insert below is refused: a job never runs beside itself.
        JobRun.objects.filter(job.lapsed(), pk=last.pk, attempt=last.attempt).update(
            state=JobRun.State.FAILED, finished_at=Now(), result="crashed: not finished within its lease"
        )
    return JobRun.objects.create(name=job.name, slot=slot, again=again)


def _retake(job: Job, last: JobRun) -> JobRun | None:
    taken = JobRun.objects.filter(Q(state=JobRun.State.FAILED) | job.lapsed(), pk=last.pk, attempt=last.attempt).update(
        state=JobRun.State.RUNNING, attempt=F("attempt") + 1, started_at=Now(), finished_at=None, result=""
    )
    return JobRun.objects.get(pk=last.pk) if taken else None


def _work(job: Job, run: JobRun, now: datetime) -> JobRun:
    # Inside a caller's transaction a failed statement would else take the record of the failure with it.
    contained: Any = transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext()
    try:
        with contained:
            result = job.work(now=now)
    except Exception as error:  # the edge: one job's failure is recorded and stops no other
        logger.exception("job failed", extra={"job": job.name})
        _finish(run, JobRun.State.FAILED, f"{type(error).__qualname__}: {error}")
    else:
        _finish(run, JobRun.State.DONE, result or "")
    return JobRun.objects.get(pk=run.pk)


def _finish(run: JobRun, state: JobRun.State, result: str) -> None:
    """Record how it ended, unless the lease lapsed and another process has taken the slot over."""
    ours = JobRun.objects.filter(pk=run.pk, attempt=run.attempt, state=JobRun.State.RUNNING)
    if not ours.update(state=state, finished_at=Now(), result=plain(result)[:RESULT_MAX]):
        logger.warning("job finished after its lease", extra={"job": run.name})


schedule: Final = Schedule()
job = schedule.job
tick = schedule.tick


@job("core.forget_job_runs", daily="00:00")
def forget_runs(*, now: datetime) -> str:
    """Delete runs that are past remembering; the latest of each job stays, for it says what is done. So go those for
    moments that have not come."""
    later = JobRun.objects.filter(name=OuterRef("name"), slot__gt=OuterRef("slot"))
    kept: dict[timedelta, list[str]] = {}
    for each in schedule.jobs.values():
        kept.setdefault(each.kept, []).append(each.name)
    forgotten = 0
    for time_kept, names in kept.items():
        forgotten += JobRun.objects.filter(Exists(later), name__in=names, slot__lt=now - time_kept).delete()[0]
    # One that nothing can be done about is tried every minute: of that a day tells enough.
    stuck = JobRun.objects.filter(Exists(later), again__gte=AGAIN_MAX, slot__lt=now - timedelta(days=1))
    forgotten += ahead(now).exclude(state=JobRun.State.RUNNING).delete()[0]
    return f"{forgotten + stuck.delete()[0]} forgotten"
