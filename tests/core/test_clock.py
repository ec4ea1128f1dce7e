"""Now: the machine's in production, movable forward in a sandbox."""

from datetime import UTC, date, datetime, timedelta, timezone
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from paymentsite.core import clock
from paymentsite.core.acts import act
from paymentsite.core.clock import ClockBackwards, ClockBusy, ClockFixed, ClockTooFar
from paymentsite.core.jobs import Schedule
from paymentsite.core.models import ClockShift, JobRun
from paymentsite.core.triggers import AGAIN_MAX

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def nothing(*, now: datetime) -> None:
    """A job that is only seen by its runs."""


@pytest.fixture
def noon():
    """The machine's clock stands at noon."""
    with time_machine.travel(NOON, tick=False):
        yield NOON


def moved(**options) -> list[tuple[str, datetime, str]]:
    return [(run.name, run.slot, run.state) for run in clock.advance(**options).runs]


@pytest.fixture
def production(settings):
    settings.SANDBOX = False
    return settings


def test_production_reads_the_machine_alone(production, noon):
    # No database is open to this test: reading a stored shift would fail it.
    assert clock.now() == noon
    with clock.standing(noon + DAY):
        assert clock.now() == noon


@pytest.mark.django_db
def test_production_ignores_a_stored_shift(production, noon):
    ClockShift.objects.create(shift=DAY)
    assert clock.now() == noon


@pytest.mark.django_db
@pytest.mark.parametrize("move", [{"by": DAY}, {"to": NOON + DAY}])
def test_production_refuses_to_move_the_clock(production, noon, move):
    with pytest.raises(ClockFixed):
        clock.advance(**move)
    assert not ClockShift.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("move", [{"by": -SECOND}, {"to": NOON - SECOND}])
def test_the_clock_refuses_to_go_back(noon, move):
    with pytest.raises(ClockBackwards) as refusal:
        clock.advance(schedule=Schedule(), **move)
    assert refusal.value.facts == {"now": "2026-11-20T12:00:00+00:00", "asked": "2026-11-20T11:59:59+00:00"}
    assert not ClockShift.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("move", [{"by": 200 * 366 * DAY}, {"by": timedelta.max}, {"to": clock.LAST + SECOND}])
def test_the_clock_refuses_to_leave_the_centuries_it_knows(noon, move):
    with pytest.raises(ClockTooFar):
        clock.advance(schedule=Schedule(), **move)


@pytest.mark.django_db
@pytest.mark.parametrize("move", [{}, {"by": DAY, "to": NOON + DAY}])
def test_the_clock_is_moved_either_by_or_to(noon, move):
    with pytest.raises(TypeError, match="either"):
        clock.advance(**move)


@pytest.mark.django_db
@pytest.mark.parametrize("row", [{"pk": 2}, {"shift": -SECOND}])
def test_a_second_clock_or_one_behind_cannot_be_stored(row):
    with pytest.raises(IntegrityError), transaction.atomic():
        ClockShift.objects.create(**row)


@pytest.mark.django_db
def test_the_clock_goes_on_from_where_it_was_moved_to():
    with time_machine.travel(NOON, tick=False) as machine:
        assert clock.now() == NOON
        clock.advance(by=3 * DAY, schedule=Schedule())
        assert clock.now() == NOON + 3 * DAY
        machine.shift(HOUR)
        assert clock.now() == NOON + 3 * DAY + HOUR
        clock.advance(to=NOON + 4 * DAY, schedule=Schedule())
        assert (clock.now(), clock.shift()) == (NOON + 4 * DAY, 4 * DAY - HOUR)
    assert str(ClockShift.objects.get()) == "3 days, 23:00:00 ahead"


@pytest.mark.django_db
def test_the_shown_clock_never_goes_back_when_work_takes_longer_than_the_move():
    schedule = Schedule()
    with time_machine.travel(NOON, tick=False) as machine:

        @schedule.job("slow", every=10 * SECOND)
        def slow(*, now: datetime) -> None:
            machine.shift(HOUR)

        clock.advance(by=DAY, schedule=Schedule())
        result = clock.advance(by=15 * SECOND, schedule=schedule)
        assert (result.start, result.end) == (NOON + DAY, NOON + DAY + 15 * SECOND)
        assert clock.now() == NOON + DAY + HOUR


@pytest.mark.django_db
def test_a_moment_in_another_zone_is_the_same_moment(noon):
    china = timezone(8 * HOUR)
    clock.advance(to=datetime(2027, 1, 1, tzinfo=china), schedule=Schedule())
    assert clock.now() == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


@pytest.mark.django_db
def test_everything_due_on_the_way_happens_in_order_at_its_own_moment(noon, settings):
    settings.BUSINESS_TIME_ZONE = "Asia/Shanghai"
    schedule, came = Schedule(), []
    rows = [NOON + 90 * MINUTE, NOON + 8 * HOUR + SECOND, NOON + 99 * DAY]

    def note(name):
        def work(*, now: datetime) -> None:
            came.append((name, now, clock.now()))
            rows[:] = [row for row in rows if name != "rows" or row > now]

        return work

    schedule.job("rows", due=lambda after: min((row for row in rows if row > after), default=None))(note("rows"))
    schedule.job("four-hourly", every=4 * HOUR)(note("four-hourly"))
    schedule.job("daily", daily="04:00")(note("daily"))

    runs = moved(by=13 * HOUR, schedule=schedule)

    due = [
        ("rows", NOON + 90 * MINUTE),
        ("four-hourly", NOON + 4 * HOUR),
        ("daily", NOON + 8 * HOUR),
        ("four-hourly", NOON + 8 * HOUR),
        ("rows", NOON + 8 * HOUR + SECOND),
        ("four-hourly", NOON + 12 * HOUR),
    ]
    assert came == [(name, moment, moment) for name, moment in due]
    assert runs == [(name, moment, "done") for name, moment in due]
    assert clock.now() == NOON + 13 * HOUR


@pytest.mark.django_db
def test_a_moment_exactly_at_the_end_is_on_the_way(noon):
    schedule = Schedule()
    schedule.job("hourly", every=HOUR)(nothing)
    assert moved(by=2 * HOUR, schedule=schedule) == [
        ("hourly", NOON + HOUR, "done"),
        ("hourly", NOON + 2 * HOUR, "done"),
    ]
    assert moved(by=timedelta(0), schedule=schedule) == []


@pytest.mark.django_db
def test_what_was_due_before_the_clock_is_moved_happens_first(noon):
    schedule, came, rows = Schedule(), [], [NOON - HOUR]

    @schedule.job("late", due=lambda after: min((row for row in rows if row > after), default=None))
    def late(*, now: datetime) -> None:
        came.append(now)
        rows.clear()

    clock.advance(by=DAY, schedule=schedule)
    assert came == [NOON]


@pytest.mark.django_db
def test_what_a_job_makes_due_at_once_happens_at_the_same_moment(noon):
    schedule, came, rows = Schedule(), [], []

    @schedule.job("pays", due=lambda after: min((row for row in rows if row > after), default=None))
    def pays(*, now: datetime) -> None:
        came.append(("pays", now))
        rows.clear()

    @schedule.job("settles", every=DAY)
    def settles(*, now: datetime) -> None:
        came.append(("settles", now))
        rows.append(now)

    clock.advance(by=DAY, schedule=schedule)
    midnight = NOON + 12 * HOUR
    assert came == [("settles", midnight), ("pays", midnight)]


@pytest.mark.django_db
def test_a_job_that_leaves_its_rows_due_does_not_hold_the_clock_for_ever(noon):
    schedule, came = Schedule(), []
    schedule.job("stuck", due=lambda after: NOON + HOUR if after < NOON + HOUR else None)(
        lambda *, now: came.append(now)
    )
    clock.advance(by=2 * HOUR, schedule=schedule)
    assert clock.now() == NOON + 2 * HOUR
    assert came == [NOON + HOUR] * (1 + AGAIN_MAX) + [NOON + 2 * HOUR]


@pytest.mark.django_db
def test_an_act_reads_the_clock_once_and_the_next_one_anew(settings):
    settings.SANDBOX = True
    asked = act(lambda: [clock.now() for _ in range(3)])
    with CaptureQueriesContext(connection) as made:
        before = asked()
    assert len([query for query in made if "core_clockshift" in query["sql"]]) == 1

    ClockShift.objects.create(shift=DAY)
    after = asked()
    assert all(late - early >= DAY for early, late in zip(before, after, strict=True))
    assert before == sorted(before)


@pytest.mark.django_db
def test_a_failed_job_is_tried_again_at_the_next_stop(noon):
    schedule, came = Schedule(), []
    schedule.job("hourly", every=HOUR)(nothing)

    @schedule.job("daily", every=DAY)
    def daily(*, now: datetime) -> None:
        came.append(now)
        if len(came) == 1:
            raise ValueError

    midnight = NOON + 12 * HOUR
    runs = moved(by=14 * HOUR, schedule=schedule)
    assert [run for run in runs if run[0] == "daily"] == [
        ("daily", midnight, "failed"),
        ("daily", midnight, "done"),
    ]


@pytest.mark.django_db
def test_the_clock_does_not_stop_for_sweepers_but_they_run_where_it_does(noon):
    schedule, came = Schedule(), []
    schedule.job("hourly", every=HOUR)(nothing)
    schedule.job("sweeper", every=SECOND, stops=False)(lambda *, now: came.append(now))
    clock.advance(by=2 * HOUR + MINUTE, schedule=schedule)
    assert came == [NOON + HOUR, NOON + 2 * HOUR, NOON + 2 * HOUR + MINUTE]


@pytest.mark.django_db
def test_the_clock_waits_for_what_another_process_is_at_and_then_gives_up(noon):
    schedule = Schedule()
    schedule.job("hourly", every=HOUR)(nothing)
    run = JobRun.objects.create(name="hourly", slot=NOON)

    with pytest.raises(ClockBusy) as refusal:
        clock.advance(by=2 * HOUR, schedule=schedule, patience=timedelta(milliseconds=50))

    assert refusal.value.facts == {"now": "2026-11-20T12:00:00+00:00", "jobs": ["hourly"]}
    assert clock.now() == NOON
    run.delete()
    assert len(moved(by=2 * HOUR, schedule=schedule)) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2026-11-20T15:59:59", None, date(2026, 11, 20)),
        ("2026-11-20T16:00:00", None, date(2026, 11, 21)),
        ("2026-11-20T16:00:00", "UTC", date(2026, 11, 20)),
        ("2027-01-01T04:59:59", "America/New_York", date(2026, 12, 31)),
    ],
)
def test_today_is_the_day_where_the_business_is(settings, moment, zone, day):
    settings.BUSINESS_TIME_ZONE = "Asia/Shanghai"
    with clock.standing(datetime.fromisoformat(moment + "Z")):
        assert clock.today(zone) == day


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "text"),
    [("by", "3 days"), ("by", ""), ("by", "-3d"), ("by", "2h3d"), ("by", "1.5h"), ("by", "３d"),
     ("to", "tomorrow"), ("to", "2027-01-01T00:00"), ("to", "2027-01-01")],
)  # fmt: skip
def test_the_command_refuses_what_is_no_time(noon, option, text):
    with pytest.raises(CommandError, match="write it like"):
        call_command("clock", f"--{option}={text}")
    assert not ClockShift.objects.exists()


@pytest.mark.django_db
def test_the_command_refuses_two_moves_at_once():
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("clock", "--by=1d", "--to=2027-01-01T00:00Z")


@pytest.mark.django_db
def test_the_command_refuses_outside_a_sandbox_with_one_sentence(production, noon):
    with pytest.raises(CommandError) as refusal:
        call_command("clock", "--by=1d")
    assert str(refusal.value) == ("The clock can be moved in a sandbox only, and this is none (SANDBOX is not set).")


def test_the_command_shows_the_clock_anywhere(production, noon):
    said = StringIO()
    call_command("clock", stdout=said)
    assert said.getvalue() == "It is 2026-11-20 12:00:00 UTC, business day 2026-11-20.\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("move", "now", "nights"),
    [("--by=1d7h30m", NOON + DAY + 7 * HOUR + 30 * MINUTE, 2), ("--by=1w1s", NOON + 7 * DAY + SECOND, 7),
     ("--to=2026-11-22T19:00Z", datetime(2026, 11, 22, 19, tzinfo=UTC), 3),
     ("--to=2026-11-22T19:00+08:00", datetime(2026, 11, 22, 11, tzinfo=UTC), 2)],
)  # fmt: skip
def test_the_command_moves_the_clock_and_says_what_happened(noon, move, now, nights, settings):
    settings.BUSINESS_TIME_ZONE = "Asia/Shanghai"
    said = StringIO()
    call_command("clock", move, stdout=said)

    assert clock.now() == now
    lines = said.getvalue().splitlines()
    assert f"core.forget_job_runs: {nights} done" in lines
    assert lines[-1] == f"It is {now:%Y-%m-%d %H:%M:%S} UTC, business day {clock.today()}."
