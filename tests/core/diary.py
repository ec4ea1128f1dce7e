"""Jobs that write down when they ran, to arrange tests of the schedule with."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from paymentsite.core.jobs import Schedule
from paymentsite.core.models import JobRun

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
HOURS_AGO = Now() - timedelta(hours=3)


class Diary:
    """Jobs that write down when they ran, and rows that fall due."""

    def __init__(self) -> None:
        self.schedule = Schedule()
        self.ran: list[tuple[str, datetime]] = []
        self.rows: list[datetime] = []
        self.failures: list[Exception] = []

    def hourly(self, name="hourly", every=HOUR, **options):
        @self.schedule.job(name, every=every, **options)
        def work(*, now: datetime) -> None:
            self.ran.append((name, now))

    def failing(self, name="failing", every=HOUR):
        @self.schedule.job(name, every=every)
        def work(*, now: datetime) -> str:
            self.ran.append((name, now))
            if self.failures:
                raise self.failures.pop(0)
            return "well"

    def expiring(self, name="expiring", most=1000, **options):
        def due(after: datetime) -> datetime | None:
            return min((row for row in self.rows if row > after), default=None)

        @self.schedule.job(name, due=due, **options)
        def expire(*, now: datetime) -> str:
            gone = sorted(row for row in self.rows if row <= now)[:most]
            self.rows = [row for row in self.rows if row not in gone]
            self.ran.append((name, now))
            return f"{len(gone)} expired"


@pytest.fixture
def diary() -> Diary:
    return Diary()


def runs() -> list[tuple[str, datetime, str, int]]:
    return list(JobRun.objects.order_by("slot", "name").values_list("name", "slot", "state", "attempt"))


def crash(name: str, slot: datetime, **fields) -> JobRun:
    """A run whose process died long ago."""
    run = JobRun.objects.create(name=name, slot=slot, **fields)
    JobRun.objects.filter(pk=run.pk).update(started_at=HOURS_AGO)
    return run
