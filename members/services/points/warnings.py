"""Telling members that points will expire, before they do."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice
from typing import Final

from django.utils.translation import gettext_noop

from members.models import Member, Notice
from members.queries import points as queries
from members.services import notices
from members.services.points.accounts import pts
from paymentsite.core.errors import as_day

# Told at the first that is reached: who could not be told in time is told at the second alone.
DAYS_BEFORE: Final = (30, 7)
_CHUNK: Final = 500

EXPIRING: Final = notices.kind(
    "points_expire",
    gettext_noop("{points} expire at the end of {day}, in {days} days, unless you spend them."),
    day=as_day,
)


def warn(*, today: date) -> int:
    """Whose points expire within 30 or 7 days is told so, once for each; how many were told. Safe twice and late."""
    found = iter(queries.expiring(today, today + timedelta(days=max(DAYS_BEFORE))))
    told = 0
    while some := list(islice(found, _CHUNK)):
        told += _tell(some, today)
    return told


def _tell(some: Iterable[queries.Expiring], today: date) -> int:
    wanted = {(int(each.owner.removeprefix("member:")), _subject(each.day, today)): each for each in some}
    known = Notice.objects.filter(kind=EXPIRING.name, member__in={pk for pk, _ in wanted})
    told = set(known.filter(subject__in={subject for _, subject in wanted}).values_list("member_id", "subject"))
    members = Member.objects.in_bulk({pk for pk, _ in wanted.keys() - told})
    count = 0
    for (pk, subject), each in wanted.items():
        if (pk, subject) not in told and pk in members:
            days = (each.day - today).days
            notices.tell(
                member=members[pk], kind=EXPIRING, subject=subject, points=pts(each.points), day=each.day, days=days
            )
            count += 1
    return count


def _subject(day: date, today: date) -> str:
    stage = min(stage for stage in DAYS_BEFORE if (day - today).days <= stage)
    return f"points:{day}:{stage}"
