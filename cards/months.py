"""Months on the calendar."""

import calendar
from datetime import date


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the month's last where it has none of that number."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_of_month(day: date) -> date:
    return date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
