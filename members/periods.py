"""Calendar periods on a member's clock, and how long what happened in one counts.

Whoever changes zones gains nothing: what was used counts until the period in which it was used is over *where it was
used*, and where the member is now. See docs/decisions/111-zones-and-limits.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Period(TextChoices):
    """``ACT`` is each act for itself; ``ALWAYS`` is of what stands, such as a balance."""

    ACT = "act", _("each time")
    DAY = "day", _("a day")
    WEEK = "week", _("a week")
    MONTH = "month", _("a month")
    YEAR = "year", _("a year")
    ALWAYS = "always", _("at any time")


@dataclass(frozen=True, slots=True)
class Window:
    """What happened since ``since`` counts; of that, nothing does any more at ``resets_at``, for travellers before."""

    since: datetime
    resets_at: datetime


def window(period: Period, moment: datetime, zone: ZoneInfo, left: Sequence[tuple[datetime, ZoneInfo]] = ()) -> Window:
    """The window at ``moment`` of a member in ``zone``, who ``left`` others: when, and which."""
    zones = [zone, *(old for at, old in left if at > begins(period, moment, old))]
    return Window(
        min(begins(period, moment, each) for each in zones),
        max(ends(period, moment, each) for each in zones),
    )


def begins(period: Period, moment: datetime, zone: ZoneInfo) -> datetime:
    """When the period began that ``moment`` falls into; Monday begins a week."""
    return _midnight(_first_day(period, moment.astimezone(zone).date()), zone)


def ends(period: Period, moment: datetime, zone: ZoneInfo) -> datetime:
    """When the next period begins."""
    first = _first_day(period, moment.astimezone(zone).date())
    return _midnight(_first_day(period, first + _LONGER[period]), zone)


# From a period's first day into the next period, never beyond it.
_LONGER = {
    Period.DAY: timedelta(days=1),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=31),
    Period.YEAR: timedelta(days=366),
}


def _first_day(period: Period, day: date) -> date:
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)
    raise ValueError(f"{period} has no beginning")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When ``day`` begins: at the leap where clocks skip midnight, the first time where they show it twice."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
