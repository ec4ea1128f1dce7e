"""Windows of whole days on the business's calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members import windows
from members.windows import Window
from tests.members.tiering import day

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2180, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware


@pytest.mark.parametrize(
    ("earned", "gone"),
    [
        ("2026-03-05", "2027-03-05"),
        ("2024-02-29", "2025-03-01"),
        ("2023-02-28", "2024-02-28"),
        ("2023-03-01", "2024-03-01"),
    ],
)
def test_rolling_window_lets_a_day_count_for_a_year(earned, gone):
    end = windows.end(Window.ROLLING, day(earned))

    assert end == day(gone).replace(hour=16) - timedelta(days=1)  # midnight in Shanghai
    assert windows.begin(Window.ROLLING, end - timedelta(microseconds=1)) <= day(earned)
    assert windows.begin(Window.ROLLING, end) > day(earned)


def test_calendar_year_begins_on_the_business_calendar():
    assert windows.begin(Window.YEAR, datetime(2026, 12, 31, 17, tzinfo=UTC)) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert windows.end(Window.YEAR, day("2026-05-01")) == datetime(2026, 12, 31, 16, tzinfo=UTC)


@given(earned=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=800)), window=st.sampled_from(Window))
def test_end_and_begin_agree_whenever(earned, later, window):
    now = earned + later

    assert (windows.begin(window, now) <= earned) == (now < windows.end(window, earned))
