"""What waits for its time: asked of all tables at once, and answered for each."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from paymentsite.core.jobs import Schedule
from paymentsite.core.models import Approval, JobRun
from paymentsite.core.waiting import Anything, First, ask

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, 0, 0, 250, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
RUNS = First("slot", JobRun.objects.all)


def ran(*hours: int, name: str = "a", state: str = "done") -> None:
    for hour in hours:
        JobRun.objects.create(name=name, slot=NOON + hour * HOUR, state=state, finished_at=NOON)


def test_first_that_is_later_is_told():
    assert RUNS(NOON) is None
    ran(1, 3, 2)

    assert RUNS(NOON) == NOON + HOUR
    assert RUNS(NOON + HOUR) == NOON + 2 * HOUR
    assert RUNS(NOON + HOUR - timedelta(microseconds=1)) == NOON + HOUR
    assert RUNS(NOON + 3 * HOUR) is None


def test_first_of_several_tables_is_the_earliest_of_all():
    both = First("slot", *(partial(JobRun.objects.filter, name=name) for name in "ab"))
    ran(2)
    ran(1, name="b")

    assert [both(NOON + hours * HOUR) for hours in (0, 1, 2)] == [NOON + HOUR, NOON + 2 * HOUR, None]


def test_all_are_asked_in_one_statement_and_each_is_answered():
    failed = partial(JobRun.objects.filter, state="failed")
    wanted = [First("expires_at", Approval.objects.all), RUNS, Anything(failed), Anything(JobRun.objects.all)]
    ran(1)

    with CaptureQueriesContext(connection) as asked:
        answers = ask(wanted, after=NOON)

    assert (answers, len(asked)) == ([None, NOON + HOUR, None, NOON], 1)
    ran(0, name="b", state="failed")
    assert ask(wanted, after=NOON)[2] == NOON
    assert ask([], after=NOON) == []


def test_job_is_left_alone_as_long_as_there_are_no_rows_for_it():
    schedule, done = Schedule(), list[datetime]()
    schedule.job("sweep", every=SECOND, stops=False, where=partial(JobRun.objects.filter, name="dust"))(
        lambda *, now: done.append(now)
    )

    schedule.tick(NOON)
    assert (done, JobRun.objects.count()) == ([], 0)
    ran(0, name="dust")
    schedule.tick(NOON)
    assert done == [NOON]


def test_run_that_failed_is_tried_again_though_nothing_is_left_of_its_rows():
    schedule, done = Schedule(), list[datetime]()
    dust = partial(JobRun.objects.filter, name="dust")
    schedule.job("sweep", every=HOUR, where=dust)(lambda *, now: done.append(now))
    noon = NOON.replace(microsecond=0)
    JobRun.objects.create(name="sweep", slot=noon, state="failed", finished_at=noon)

    schedule.tick(noon)
    assert done == [noon]


@pytest.mark.parametrize("jobs", [1, 7])
def test_look_asks_as_often_for_many_jobs_as_for_one(jobs):
    schedule = Schedule()
    for number in range(jobs):
        due = First("slot", partial(JobRun.objects.filter, name=f"of {number}"))
        schedule.job(f"job {number}", due=due)(lambda *, now: f"{now}")

    with CaptureQueriesContext(connection) as asked:
        assert schedule.tick(NOON).ran == []
    assert len(asked) == 2
