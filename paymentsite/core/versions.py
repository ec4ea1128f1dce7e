"""Rows that are in force for a time: terms that are replaced by newer ones, never edited.

    class Limit(Version): ...
    trail.tell(*versions.put(limit, Limit.objects.like(limit)), by=by)

What was in force at any moment can be asked for ever. Decorate the model with ``immutable(except_columns=ENDS)`` and
``terms.decided()``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import Any, Final, Self, TypeVar

from django.db import connection, models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from paymentsite.core.errors import Conflict

ENDS: Final = ("ends_at",)
# An advisory lock of PostgreSQL, taken by those who replace terms: "term".
_LOCK: Final = 0x7465726D


class VersionChanged(Conflict):
    code = "version_changed"
    sentence = gettext_noop("Somebody changed this meanwhile. Look again.")


class VersionQuerySet(models.QuerySet[Any]):
    def at(self, moment: datetime) -> Self:
        """In force at ``moment``."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=moment), starts_at__lte=moment)

    def between(self, start: datetime, end: datetime | None) -> Self:
        """In force at some moment from ``start`` to before ``end``, or scheduled for one."""
        found = self.exclude(ends_at=F("starts_at")).filter(Q(ends_at=None) | Q(ends_at__gt=start))
        return found if end is None else found.filter(starts_at__lt=end)


class Version(models.Model):
    """Terms from ``starts_at`` until before ``ends_at``. Equal ones were replaced before they ever held."""

    starts_at = models.DateTimeField(_("in force from"))
    ends_at = models.DateTimeField(_("in force until"), null=True, blank=True)
    set_by = models.CharField(_("set by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True

    def holds_at(self, moment: datetime) -> bool:
        return self.starts_at <= moment and (self.ends_at is None or self.ends_at > moment)


VersionT = TypeVar("VersionT", bound=Version)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Whoever decides on terms by the terms that there are waits here until the one before has committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_LOCK])
    yield


def put(new: VersionT, same: models.QuerySet[VersionT]) -> list[VersionT]:
    """``new`` holds for its time. What held instead, among ``same``, ends for that time and comes back after it.

    The past stays: ``new`` starts no earlier than now. In the caller's transaction, ``one_at_a_time``. Given back is
    every row that this wrote, for the audit trail.
    """
    written: list[VersionT] = []
    for old in same.between(new.starts_at, new.ends_at).order_by("starts_at"):  # type: ignore[attr-defined]
        if new.ends_at is not None and (old.ends_at is None or old.ends_at > new.ends_at):
            again = copy(old)
            again.pk, again.starts_at = None, new.ends_at
            end(old, at=max(old.starts_at, new.starts_at))
            again.save(force_insert=True)
            written.append(again)
        else:
            end(old, at=max(old.starts_at, new.starts_at))
        written.append(old)
    new.save(force_insert=True)
    return [*written, new]


def end(row: Version, *, at: datetime) -> None:
    """``row`` holds until ``at`` and no longer; refused when somebody else changed that meanwhile."""
    manager = type(row)._default_manager  # noqa: SLF001  of any model
    if manager.filter(pk=row.pk, ends_at=row.ends_at).update(ends_at=at) != 1:
        raise VersionChanged
    row.ends_at = at
