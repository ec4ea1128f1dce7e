"""What time does, it does once: twice, late, in reverse, after a crash."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from paymentsite.core import jobs
from paymentsite.core.jobs import Schedule
from paymentsite.core.models import JobRun

pytestmark = pytest.mark.django_db

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
    diary.rows = [NOON, NOON + HOUR]
    diary.schedule.tick(NOON + 2 * HOUR)
    diary.schedule.tick(NOON + HOUR)
    diary.schedule.tick(NOON)

    assert diary.ran == [("expiring", NOON + 2 * HOUR), ("hourly", NOON + 2 * HOUR)]


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

    assert jobs._claim(hourly, NOON, seen).attempt == 2
    assert jobs._claim(hourly, NOON, seen) is None


def test_a_claim_that_was_overtaken_does_nothing(diary):
    diary.hourly()
    diary.schedule.tick(NOON + HOUR)

    assert jobs._claim(diary.schedule.jobs["hourly"], NOON, None) is None
    assert JobRun.objects.get(slot=NOON).result == "overtaken by a later run"


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


def test_a_sweeper_is_remembered_for_a_day(diary):
    diary.hourly("sweeper", stops=False)
    diary.hourly()
    assert diary.schedule.jobs["sweeper"].kept == timedelta(days=1)
    assert diary.schedule.jobs["hourly"].kept == timedelta(days=90)


def test_the_one_registry_knows_the_jobs_of_every_app():
    assert "core.forget_job_runs" in jobs.schedule.jobs
