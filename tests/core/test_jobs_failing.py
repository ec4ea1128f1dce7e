"""Jobs that fail, die, or are under way elsewhere: each slot is done once all the same."""

from datetime import datetime

import pytest
from django.db import connection

from paymentsite.core import clock, jobs, verification
from paymentsite.core.jobs import Owed
from paymentsite.core.models import JobRun
from tests.core.diary import HOUR, HOURS_AGO, MINUTE, NOON, SECOND, crash, diary, runs

pytestmark = pytest.mark.django_db

__all__ = ["diary"]


def test_a_failure_is_recorded_and_tried_again_at_the_next_tick(diary, caplog):
    diary.failing()
    diary.failures = [ValueError("no\0 luck"), RuntimeError("x" * 5000)]

    (first,) = diary.schedule.tick(NOON).ran
    assert (first.state, first.result) == ("failed", "ValueError: no\N{REPLACEMENT CHARACTER} luck")
    assert first.finished_at is not None
    (second,) = diary.schedule.tick(NOON + SECOND).ran
    assert (second.state, second.attempt, len(second.result)) == ("failed", 2, jobs.RESULT_MAX)
    (third,) = diary.schedule.tick(NOON + 2 * SECOND).ran
    assert (third.state, third.attempt, third.result) == ("done", 3, "well")

    assert [at for _, at in diary.ran] == [NOON, NOON + SECOND, NOON + 2 * SECOND]
    assert [record.message for record in caplog.records] == ["job failed", "job failed"]


def test_a_failed_job_keeps_no_other_from_running(diary):
    diary.failing("a")
    diary.hourly("b")
    diary.failures = [ValueError()]

    assert [(run.name, run.state) for run in diary.schedule.tick(NOON).ran] == [
        ("a", "failed"),
        ("b", "done"),
    ]


def test_a_failed_slot_gives_way_to_the_next(diary):
    diary.failing()
    diary.failures = [ValueError()]
    diary.schedule.tick(NOON)
    diary.schedule.tick(NOON + HOUR)
    diary.schedule.tick(NOON + HOUR)

    assert runs() == [("failing", NOON, "failed", 1), ("failing", NOON + HOUR, "done", 1)]


def test_a_broken_statement_does_not_take_the_record_of_the_failure_with_it(diary):
    @diary.schedule.job("broken", every=HOUR)
    def broken(*, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    (run,) = diary.schedule.tick(NOON).ran
    assert (run.state, run.result.split(":")[0]) in {
        ("failed", "OperationalError"),
        ("failed", "ProgrammingError"),
    }


def test_a_run_under_way_elsewhere_is_left_alone(diary):
    diary.hourly()
    diary.hourly("other")
    JobRun.objects.create(name="hourly", slot=NOON)

    tick = diary.schedule.tick(NOON + MINUTE)

    assert (tick.busy, [run.name for run in tick.ran]) == (["hourly"], ["other"])


def test_a_job_does_not_run_beside_its_own_earlier_run(diary):
    diary.hourly()
    JobRun.objects.create(name="hourly", slot=NOON - HOUR)

    assert diary.schedule.tick(NOON).busy == ["hourly"]
    assert (diary.ran, runs()) == ([], [("hourly", NOON - HOUR, "running", 1)])


def test_a_tick_in_order_ends_at_the_first_job_under_way_elsewhere(diary):
    diary.hourly("a")
    diary.hourly("b")
    JobRun.objects.create(name="a", slot=NOON)

    tick = diary.schedule.tick(NOON, in_order=True)

    assert (tick.busy, tick.ran) == (["a"], [])


def test_a_crashed_run_is_taken_over_after_its_lease(diary):
    diary.hourly(lease=2 * HOUR)
    crash("hourly", NOON)

    (run,) = diary.schedule.tick(NOON + MINUTE).ran

    assert (run.state, run.attempt, diary.ran) == ("done", 2, [("hourly", NOON + MINUTE)])


def test_a_run_within_its_lease_is_not_taken_over(diary):
    diary.hourly(lease=4 * HOUR)
    crash("hourly", NOON)

    assert diary.schedule.tick(NOON + MINUTE).busy == ["hourly"]
    assert runs() == [("hourly", NOON, "running", 1)]


def test_a_crashed_run_is_closed_when_the_next_slot_is_due(diary):
    diary.hourly()
    crash("hourly", NOON)
    diary.schedule.tick(NOON + HOUR)

    assert runs() == [("hourly", NOON, "failed", 1), ("hourly", NOON + HOUR, "done", 1)]
    assert JobRun.objects.get(slot=NOON).result == "crashed: not finished within its lease"


def test_a_run_that_outlived_its_lease_does_not_overwrite_its_successor(diary, caplog):
    @diary.schedule.job("slow", every=HOUR)
    def slow(*, now: datetime) -> str:
        if JobRun.objects.get().attempt == 1:
            JobRun.objects.update(started_at=HOURS_AGO)
            diary.schedule.tick(now)
            return "first, too late"
        return "second"

    (run,) = diary.schedule.tick(NOON).ran

    assert (run.state, run.attempt, run.result) == ("done", 2, "second")
    assert caplog.messages == ["job finished after its lease"]


def test_a_take_over_that_comes_second_takes_nothing(diary):
    diary.hourly()
    crash("hourly", NOON)
    seen = JobRun.objects.get()
    hourly = diary.schedule.jobs["hourly"]

    owed = Owed(hourly, NOON, 0, seen)
    assert jobs._claim(owed, NOON).attempt == 2
    assert jobs._claim(owed, NOON) is None


def test_a_claim_that_was_overtaken_does_nothing(diary):
    diary.hourly()
    diary.schedule.tick(NOON + HOUR)

    assert jobs._claim(Owed(diary.schedule.jobs["hourly"], NOON, 0, None), NOON + HOUR) is None
    assert JobRun.objects.get(slot=NOON).result == "overtaken by a later run"


def test_a_clock_that_was_a_month_ahead_stops_nothing(diary):
    diary.hourly()
    diary.schedule.tick(NOON + 720 * HOUR)

    for hours in (1, 2, 3):
        assert [run.slot for run in diary.schedule.tick(NOON + hours * HOUR).ran] == [NOON + hours * HOUR]
    with clock.standing(NOON + 3 * HOUR):
        [finding] = verification.discover().run(only=["core.jobs_not_ahead"]).findings
        assert (finding.subject, "some machine's clock was ahead" in finding.detail) == ("job hourly", True)

    # Forgotten in the night, so that what is due then is done then.
    jobs.forget_runs(now=NOON + 12 * HOUR)
    assert verification.discover().run(only=["core.jobs_not_ahead"]).findings == []
    assert [run.slot for run in diary.schedule.tick(NOON + 720 * HOUR).ran] == [NOON + 720 * HOUR]


def test_a_job_that_never_ran_owes_only_what_fell_due_since(diary):
    diary.hourly()
    assert diary.schedule.tick(NOON + MINUTE, since=NOON).ran == []
    assert len(diary.schedule.tick(NOON + HOUR, since=NOON).ran) == 1


def test_a_run_that_died_after_its_last_row_is_ended_by_another_one(diary):
    diary.expiring()
    crash("expiring", NOON, state="running")

    tick = diary.schedule.tick(NOON + MINUTE)

    assert [(run.name, run.state) for run in tick.ran] == [("expiring", "done")]
    assert diary.schedule.tick(NOON + MINUTE).ran == []
