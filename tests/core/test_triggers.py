"""When jobs are due, through the odd days of clocks."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core.triggers import AGAIN_MAX, STUCK_FOR, Daily, Every, Last, Rows

ZONES = [
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
]
moments = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "Z")


@pytest.mark.parametrize("interval", [timedelta(0), timedelta(seconds=-1)])
def test_an_interval_of_nothing_is_refused(interval):
    with pytest.raises(ValueError, match="longer than nothing"):
        Every(interval)


@given(moments, st.timedeltas(timedelta(seconds=1), timedelta(days=40)))
def test_intervals_follow_one_another_without_gap(moment, interval):
    every = Every(interval)
    latest = every.latest(moment)

    assert latest <= moment < latest + interval
    assert every.next(moment) == latest + interval
    assert every.latest(every.next(moment)) == every.next(moment)


@pytest.mark.parametrize(
    ("zone", "daily", "after", "slots"),
    [
        ("Asia/Shanghai", "02:00", "2026-11-20T17:59", ["2026-11-20T18:00", "2026-11-21T18:00"]),
        # The clocks skip 02:30 on 14 March: it is made up for at 03:30 summer time.
        ("America/New_York", "02:30", "2027-03-13T00:00",
         ["2027-03-13T07:30", "2027-03-14T07:30", "2027-03-15T06:30"]),
        # They show 01:30 twice on 7 November: the first counts.
        ("America/New_York", "01:30", "2027-11-06T00:00",
         ["2027-11-06T05:30", "2027-11-07T05:30", "2027-11-08T06:30"]),
        # A leap over midnight.
        ("America/Sao_Paulo", "00:00", "2018-11-03T00:00",
         ["2018-11-03T03:00", "2018-11-04T03:00", "2018-11-05T02:00"]),
        # Samoa went over the date line and had no 30 December.
        ("Pacific/Apia", "02:00", "2011-12-29T00:00",
         ["2011-12-29T12:00", "2011-12-30T12:00", "2011-12-31T12:00"]),
    ],
)  # fmt: skip
def test_a_daily_time_comes_once_on_days_of_any_length(settings, zone, daily, after, slots):
    settings.BUSINESS_TIME_ZONE = zone
    trigger, moment, came = Daily(time.fromisoformat(daily)), at(after), []
    for _ in slots:
        moment = trigger.next(moment)
        came.append(moment)
    assert came == [at(slot) for slot in slots]


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_time_comes_about_once_a_day_in_every_zone(settings, zone):
    settings.BUSINESS_TIME_ZONE = zone

    @given(moments, times)
    def consistent(moment, of_day):
        trigger = Daily(of_day)
        latest, following = trigger.latest(moment), trigger.next(moment)
        assert latest <= moment < following
        assert timedelta(hours=22) <= following - latest <= timedelta(hours=26)
        assert trigger.next(latest) == following
        assert trigger.latest(following) == following

    consistent()


def test_a_slot_is_owed_once_and_missed_ones_only_once_together():
    hourly, now = Every(timedelta(hours=1)), at("2026-11-20T12:30")
    noon = at("2026-11-20T12:00")

    assert hourly.look(now, last=Last(noon)).owed is None
    assert hourly.look(now, last=Last(noon, done=False)).owed == noon
    assert hourly.look(now, last=Last(noon - timedelta(days=9))).owed == noon
    assert hourly.look(now, last=Last(noon - timedelta(days=9), done=False)).owed == noon
    assert hourly.look(now, last=Last(noon + timedelta(hours=1), done=False)).owed is None


def test_rows_are_owed_from_their_own_moment_on():
    due = at("2026-11-20T12:00")
    rows = Rows(lambda after: due if due > after else None)
    long_ago, tick = at("2020-01-01T00:00"), timedelta(microseconds=1)

    assert Rows(lambda _: None).look(due, last=Last(long_ago)).owed is None
    assert rows.look(due - tick, last=Last(long_ago)).owed is None
    assert rows.look(due, last=Last(long_ago)).owed == due
    assert rows.look(due, last=Last(due, done=False)).owed == due
    assert rows.look(due, last=Last(due)).owed == due + tick
    assert rows.look(due, last=Last(due + tick * 5)).owed == due + tick * 6
    assert rows.next(due - tick) == due
    assert rows.next(due) is None


def test_rows_that_are_left_due_are_taken_up_at_once_and_then_from_time_to_time():
    stuck, fresh = at("2026-11-20T12:00"), at("2026-11-20T12:01")
    rows = Rows(lambda after: min((due for due in (stuck, fresh) if due > after), default=None))
    tick = timedelta(microseconds=1)

    for again in range(AGAIN_MAX):
        last = Last(stuck + again * tick, again=again)
        assert rows.look(stuck, last=last) == (last.slot + tick, None, again + 1)
    last = Last(stuck + AGAIN_MAX * tick, again=AGAIN_MAX)
    assert rows.look(stuck + tick * 9, last=last) == (None, fresh, 0)
    assert rows.look(fresh, last=last) == (fresh, None, AGAIN_MAX - 1), "what falls due now waits for nothing"

    last = Last(fresh + AGAIN_MAX * tick, again=AGAIN_MAX)
    later = last.slot + STUCK_FOR
    assert rows.look(later - tick, last=last) == (None, None, 0)
    assert rows.look(later, last=last) == (later, None, AGAIN_MAX)
    failed = last._replace(done=False)
    assert rows.look(later, last=failed) == (last.slot, None, AGAIN_MAX), "a failed run is done first"
