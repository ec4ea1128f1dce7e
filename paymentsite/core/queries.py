"""Reads over the core's tables."""

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet

from paymentsite.core.actors import MEMBER, STAFF
from paymentsite.core.models import Approval, AuditEntry, AuditLink, AuditSeal
from paymentsite.core.models.audit import AuditEntryQuerySet
from paymentsite.core.waiting import First


def trail(subject: Model | str) -> AuditEntryQuerySet:
    """All that was done to ``subject``, oldest first."""
    return AuditEntry.objects.of(subject).order_by("pk")


def seal_of(entry: AuditEntry) -> AuditSeal | None:
    """The first seal that covers ``entry``; None while it waits."""
    position = AuditLink.objects.filter(entry=entry).values_list("position", flat=True).first()
    if position is None:
        return None
    return AuditSeal.objects.filter(last_position__gte=position).order_by("last_position").first()


# When the next undecided approval expires.
next_approval_end: Final = First("expires_at", Approval.objects.undecided)


def names(actors: Iterable[str]) -> dict[str, str]:
    """What the people among the stored ``actors`` sign in as, by actor, in one query."""
    keys = {text: key for text in actors if (key := _user_key(text))}
    if not keys:
        return {}
    users = get_user_model().objects.in_bulk(set(keys.values()))
    return {text: users[key].get_username() for text, key in keys.items() if key in users}


def _user_key(text: str) -> int | None:
    kind, _, key = text.partition(":")
    return int(key) if kind in {STAFF, MEMBER} and key.isdecimal() else None


def staff() -> QuerySet[Any]:
    """Everybody who can be given an open item."""
    return get_user_model().objects.filter(is_staff=True, is_active=True).order_by("pk")
