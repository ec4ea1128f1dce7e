"""Telling members that points will expire, before they do."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext_noop

from members.models import Member, Notice
from members.queries import points as queries
from members.services import notices, turns
from members.services.points.accounts import pts
from paymentsite.core.errors import as_day

# Told at the first that is reached: who could not be told in time is told at the second alone.
DAYS_BEFORE: Final = (30, 7)
_CHUNK: Final = 500
STUCK: Final = "points_expiry_untold"

EXPIRING: Final = notices.kind(
    "points_expire",
    gettext_noop("{points} expire at the end of {day}, in {days} days, unless you spend them."),
    day=as_day,
)


def warn(*, today: date) -> int:
    """Whose points expire within 30 or 7 days is told so, once for each; how many were told. Safe twice and late."""
    return turns.tell(_untold(today), kind=EXPIRING, stuck=STUCK)


def _untold(today: date) -> Iterator[tuple[Member, dict[str, Any]]]:
    found = iter(queries.expiring(today, today + timedelta(days=max(DAYS_BEFORE))))
    while some := list(islice(found, _CHUNK)):
        yield from _of(some, today)


def _of(some: Iterable[queries.Expiring], today: date) -> Iterator[tuple[Member, dict[str, Any]]]:
    wanted = {(int(each.owner.removeprefix("member:")), _subject(each.day, today)): each for each in some}
    known = Notice.objects.filter(kind=EXPIRING.name, member__in={pk for pk, _ in wanted})
    told = set(known.filter(subject__in={subject for _, subject in wanted}).values_list("member_id", "subject"))
    members = Member.objects.in_bulk({pk for pk, _ in wanted.keys() - told})
    for (pk, subject), each in wanted.items():
        if (pk, subject) not in told and pk in members:
            days = (each.day - today).days
            yield members[pk], {"subject": subject, "points": pts(each.points), "day": each.day, "days": days}


def _subject(day: date, today: date) -> str:
    stage = min(stage for stage in DAYS_BEFORE if (day - today).days <= stage)
    return f"points:{day}:{stage}"
