"""What time does, it does once: twice, late, in reverse."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from paymentsite.core import jobs
from paymentsite.core.models import JobRun
from paymentsite.core.triggers import AGAIN_MAX
from tests.core.diary import HOUR, MINUTE, NOON, SECOND, diary, runs

pytestmark = pytest.mark.django_db

__all__ = ["diary"]


def test_two_jobs_cannot_share_a_name(diary):
    diary.hourly()
    with pytest.raises(TypeError, match="a job 'hourly' already"):
        diary.hourly()


@pytest.mark.parametrize("when", [{}, {"every": HOUR, "daily": "02:00"}, {"due": max, "daily": "02:00"}])
def test_a_job_is_due_in_exactly_one_way(diary, when):
    with pytest.raises(TypeError, match="due either"):
        diary.schedule.job("confused", **when)


def test_a_daily_time_that_is_none_is_refused(diary):
    with pytest.raises(ValueError, match="hour"):
        diary.schedule.job("confused", daily="25:00")


@pytest.mark.parametrize(
    "broken",
    [{"state": "lost"}, {"state": "running", "finished_at": NOON}, {"state": "done", "finished_at": None}],
)
def test_a_run_in_an_impossible_state_cannot_be_stored(broken):
    with pytest.raises(IntegrityError), transaction.atomic():
        JobRun.objects.create(name="x", slot=NOON, **broken)


def test_a_tick_before_its_time_does_nothing(diary):
    diary.expiring()
    diary.rows = [NOON]

    assert diary.schedule.tick(NOON - SECOND).ran == []
    assert (diary.ran, runs()) == ([], [])


def test_a_slot_is_done_once_however_often_it_ticks(diary):
    diary.hourly()
    for seconds in (0, 0, 1, 3599):
        diary.schedule.tick(NOON + seconds * SECOND)

    assert diary.ran == [("hourly", NOON)]
    assert runs() == [("hourly", NOON, "done", 1)]
    assert str(JobRun.objects.get()) == "hourly of 2026-11-20 12:00:00: done"


def test_a_daily_job_runs_at_its_time_on_the_business_day(diary, settings):
    settings.BUSINESS_TIME_ZONE = "Asia/Shanghai"
    came = []
    diary.schedule.job("nightly", daily="02:00")(lambda *, now: came.append(now))
    for hour in range(48):
        diary.schedule.tick(NOON + hour * HOUR)

    assert came == [NOON, NOON + 6 * HOUR, NOON + 30 * HOUR]


def test_what_was_missed_is_made_up_for_once(diary):
    diary.hourly()
    diary.schedule.tick(NOON)
    late = NOON + 50 * HOUR + MINUTE
    diary.schedule.tick(late)
    diary.schedule.tick(late)

    assert diary.ran == [("hourly", NOON), ("hourly", late)]
    assert runs() == [("hourly", NOON, "done", 1), ("hourly", NOON + 50 * HOUR, "done", 1)]


def test_ticks_in_reverse_do_not_run_the_past_after_the_present(diary):
    diary.hourly()
    diary.expiring()
    diary.rows = [NOON - HOUR, NOON]
    diary.schedule.tick(NOON + HOUR)
    diary.schedule.tick(NOON + HOUR / 2)
    diary.schedule.tick(NOON)

    assert diary.ran == [("expiring", NOON + HOUR), ("hourly", NOON + HOUR)]


def test_jobs_run_by_due_moment_then_by_name(diary):
    diary.hourly("b", every=HOUR)
    diary.hourly("a", every=HOUR)
    diary.hourly("c", every=5 * MINUTE)
    diary.expiring("d")
    diary.rows = [NOON - SECOND]
    ran = diary.schedule.tick(NOON + 7 * MINUTE).ran

    assert [(run.name, run.slot) for run in ran] == [
        ("d", NOON - SECOND), ("a", NOON), ("b", NOON), ("c", NOON + 5 * MINUTE)
    ]  # fmt: skip


def test_rows_committed_late_or_left_over_are_still_done(diary):
    diary.expiring(most=1)
    diary.rows = [NOON, NOON + SECOND]
    diary.schedule.tick(NOON + MINUTE)
    diary.schedule.tick(NOON + MINUTE)
    assert diary.rows == []

    diary.rows = [NOON - HOUR, NOON]
    diary.schedule.tick(NOON + MINUTE)
    diary.schedule.tick(NOON + MINUTE)

    assert diary.rows == []
    assert [result for (result,) in JobRun.objects.values_list("result")] == ["1 expired"] * 4


def test_a_row_that_cannot_be_done_keeps_no_other_waiting_and_leaves_few_runs(diary):
    stuck, done = NOON, []

    @diary.schedule.job("x", due=lambda after: min((row for row in [stuck, *diary.rows] if row > after), default=None))
    def do(*, now):
        done.extend((row, now) for row in diary.rows if row <= now)
        diary.rows = [row for row in diary.rows if row > now]

    diary.rows = fresh = [NOON + minutes * MINUTE for minutes in range(1, 10)]
    for count in range(120):
        diary.schedule.tick(NOON + count * 5 * SECOND)

    assert done == [(row, row) for row in fresh]
    assert JobRun.objects.count() == 1 + AGAIN_MAX + 2 * len(fresh)
    for count in range(120, 240):
        diary.schedule.tick(NOON + count * 5 * SECOND)
    assert JobRun.objects.count() == 1 + AGAIN_MAX + 2 * len(fresh) + 10, "every minute"


def test_the_next_stop_is_the_earliest_of_all_but_sweepers(diary):
    assert diary.schedule.next_due(NOON) is None
    diary.hourly("sweeper", every=SECOND, stops=False)
    assert diary.schedule.next_due(NOON) is None
    diary.expiring()
    assert diary.schedule.next_due(NOON) is None
    diary.hourly()
    assert diary.schedule.next_due(NOON) == NOON + HOUR
    diary.rows = [NOON, NOON + MINUTE]
    assert diary.schedule.next_due(NOON) == NOON + MINUTE


def test_a_tick_that_owes_nothing_knows_the_next_stop_without_being_asked(diary):
    diary.hourly()
    diary.hourly("sweeper", every=SECOND, stops=False)
    diary.expiring()
    diary.rows = [NOON + MINUTE, NOON + HOUR + MINUTE]
    diary.schedule.tick(NOON)

    for moment, later in [(NOON, NOON + MINUTE), (NOON + MINUTE, NOON + HOUR), (NOON + HOUR, NOON + HOUR + MINUTE)]:
        diary.schedule.tick(moment)
        again = diary.schedule.tick(moment)
        assert (again.ran, again.later) == ([], later) == ([], diary.schedule.next_due(moment))


def test_old_runs_are_forgotten_but_never_the_latest_of_a_job():
    name, day = "core.forget_job_runs", timedelta(days=1)
    for age in (0, 89, 91, 200):
        JobRun.objects.create(name=name, slot=NOON - age * day, state="done", finished_at=NOON)

    assert jobs.forget_runs(now=NOON + 300 * day) == "3 forgotten"
    assert runs() == [(name, NOON, "done", 1)]


def test_what_was_tried_over_and_over_is_remembered_for_a_day():
    name = "core.forget_job_runs"
    for hours, again in [(0, AGAIN_MAX), (23, AGAIN_MAX), (25, AGAIN_MAX), (26, 1)]:
        JobRun.objects.create(name=name, slot=NOON - hours * HOUR, state="done", finished_at=NOON, again=again)

    assert jobs.forget_runs(now=NOON) == "1 forgotten"
    assert [slot for _name, slot, _state, _attempt in runs()] == [NOON - 26 * HOUR, NOON - 23 * HOUR, NOON]


def test_a_sweeper_is_remembered_for_a_day(diary):
    diary.hourly("sweeper", stops=False)
    diary.hourly()
    assert diary.schedule.jobs["sweeper"].kept == timedelta(days=1)
    assert diary.schedule.jobs["hourly"].kept == timedelta(days=90)


def test_the_one_registry_knows_the_jobs_of_every_app():
    assert "core.forget_job_runs" in jobs.schedule.jobs
