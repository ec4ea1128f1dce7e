"""Since when what was earned counts, and until when: windows of whole days on the business's calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from paymentsite.core import clock
from paymentsite.core.ids import EPOCH


class Window(TextChoices):
    ROLLING = "rolling", _("the last 12 months")
    YEAR = "year", _("the calendar year")
    EVER = "ever", _("since joining")


def begin(window: Window, now: datetime) -> datetime:
    """What was earned from this moment on counts at ``now``."""
    today = clock.day_of(now)
    match window:
        case Window.ROLLING:
            return _midnight(_year_before(today) + timedelta(days=1))
        case Window.YEAR:
            return _midnight(date(today.year, 1, 1))
    return EPOCH


def end(window: Window, earned_at: datetime) -> datetime:
    """From this moment on what was earned at ``earned_at`` counts no more: ``begin`` is later than that then."""
    day = clock.day_of(earned_at)
    match window:
        case Window.ROLLING:
            # The first day whose window no longer begins on ``day`` or before: of a leap day that is 1 March.
            return _midnight(_year_after(day))
        case Window.YEAR:
            return _midnight(date(day.year + 1, 1, 1))
    return clock.LAST


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _year_after(day: date) -> date:
    return date(day.year + 1, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.BUSINESS_TIME_ZONE)).astimezone(UTC)
