"""Due days: which days "every month from the 31st" means."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

AT: Final = time(9)
_LAST: Final = date(2199, 12, 31)


def due_day(start: date, every: str, place: int) -> date | None:
    """The due day number ``place``, from 0, of what begins on ``start``; None when there is none.

    A month, or a February, without that day has it on its last one; the next ones are not moved by that.
    """
    if every == "once":
        return start if place == 0 else None
    if every in {"day", "week"}:
        day = start + timedelta(days=place * (7 if every == "week" else 1))
        return day if day <= _LAST else None
    months = start.month - 1 + place * (12 if every == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    if year > _LAST.year:
        return None
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def first_after(start: date, every: str, day: date) -> date | None:
    """The first due day later than ``day``."""
    place = max(0, _places_before(start, every, day))
    while (due := due_day(start, every, place)) is not None and due <= day:
        place += 1
    return due


def _places_before(start: date, every: str, day: date) -> int:
    """A number that is not larger than that of the first due day after ``day``."""
    match every:
        case "day":
            return (day - start).days
        case "week":
            return (day - start).days // 7
        case "month":
            return (day.year - start.year) * 12 + day.month - start.month - 1
        case "year":
            return day.year - start.year - 1
    return 0


def moment(day: date, zone: ZoneInfo) -> datetime:
    """Nine o'clock there on that day."""
    return datetime.combine(day, AT, zone).astimezone(UTC)
