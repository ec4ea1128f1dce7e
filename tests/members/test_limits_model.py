"""Limits against a plain model that adds everything up again, whatever the member does and wherever they go."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.models import Member
from members.periods import Period, begins, ends, window
from members.services import limits
from members.services.limits import Kind, LimitExceeded
from paymentsite.core.ids import EPOCH
from tests.members.limiting import cap, someone, take

ZONES = ("Asia/Shanghai", "Pacific/Kiritimati", "Etc/GMT+12", "America/Havana", "Africa/Cairo")
PERIODS = (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)
CAPS = {Period.DAY: 100, Period.WEEK: 180, Period.MONTH: 300, Period.YEAR: 450}
MOMENTS = st.integers(0, 130 * 365 * 86_400).map(lambda seconds: EPOCH + timedelta(seconds=seconds))


@given(MOMENTS, st.sampled_from(PERIODS), st.sampled_from(ZONES))
def test_moment_lies_within_its_period_and_the_next_one_begins_where_it_ends(moment, period, zone):
    where = ZoneInfo(zone)
    start, end = begins(period, moment, where), ends(period, moment, where)

    assert start <= moment < end
    assert begins(period, start, where) == start
    assert begins(period, end, where) == end
    assert ends(period, end - timedelta(microseconds=1), where) == end
    assert window(period, moment, where).since == start


@dataclass
class Use:
    source: str
    kind: Kind
    minor: int
    at: datetime
    zone: str
    back: bool = False


def plain_used(uses: list[Use], kind: str, period: Period, now: datetime, zone: str) -> int:
    """Each use counts since the earliest beginning among this zone and those left after their period had begun."""
    if not uses:
        return 0
    starts = [begins(period, now, ZoneInfo(zone))]
    later = [*(use.zone for use in uses[1:]), zone]
    moments = [*(use.at for use in uses[1:]), now]
    for use, next_zone, left_at in zip(uses, later, moments, strict=True):
        if next_zone != use.zone and left_at > (start := begins(period, now, ZoneInfo(use.zone))):
            starts.append(start)
    return sum(use.minor for use in uses if use.at >= min(starts) and not use.back and kind in {use.kind, "any"})


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from([Kind.TRANSFER, Kind.CARD]), st.integers(1, 70)),
        st.tuples(st.just("back"), st.integers(0, 20), st.none()),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 11, 24, 100, 700]), st.none()),
        st.tuples(st.just("fly"), st.sampled_from(ZONES), st.none()),
    ),
    max_size=18,
)


@pytest.mark.django_db
@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_limits_are_what_a_plain_model_says(steps):
    ada, now, uses = someone(), datetime(2026, 12, 29, 9, tzinfo=UTC), []
    mine = [cap(minor, period=period, member=ada) for period, minor in CAPS.items()]
    mine.append(cap(80, kind="card", period="day", member=ada))

    for number, (what, which, minor) in enumerate(steps):
        now += timedelta(minutes=1)
        if what == "wait":
            now += timedelta(hours=which)
        elif what == "fly":
            Member.objects.filter(pk=ada.pk).update(time_zone=which)
            ada.refresh_from_db()
        elif what == "back" and which < len(uses):
            uses[which].back = True
            limits.give_back(source=uses[which].source, now=now)
        elif what == "take":
            room = all(
                plain_used(uses, each.kind, Period(each.period), now, ada.time_zone) + minor <= each.cap
                for each in mine
                if each.kind in {which, "any"}
            )
            source = f"model:{ada.pk}:{number}"
            try:
                take(ada, minor, source, kind=which, now=now)
            except LimitExceeded:
                assert not room
            else:
                assert room
                uses.append(Use(source, which, minor, now, ada.time_zone))

        told = {each.limit.pk: each.used for each in limits.left(ada, now) if each.limit in mine}
        assert told == {each.pk: plain_used(uses, each.kind, Period(each.period), now, ada.time_zone) for each in mine}
    for use in uses:  # the promise of the day, wherever they were: never more than twice within 22 hours
        near = [each for each in uses if use.at <= each.at < use.at + timedelta(hours=22) and not each.back]
        assert sum(each.minor for each in near) <= 2 * CAPS[Period.DAY]
