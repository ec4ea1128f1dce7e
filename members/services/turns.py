"""Work that time brings for many at once: whose turn fails keeps no other waiting, and a person looks at it."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import structlog
from django.db.models import Model, QuerySet

from members.models import Member
from members.services import notices
from paymentsite.core.actors import SYSTEM
from paymentsite.core.disclosure import named
from paymentsite.core.errors import DomainError, Unavailable
from paymentsite.core.models import OpenItem
from paymentsite.core.services import open_items

log = structlog.get_logger(__name__)

R = TypeVar("R")


def take(work: Callable[[], R], *, subject: Model, stuck: str, why: str) -> R | None:
    """Do ``work``; None where it fails. Then ``subject`` is in an open item of the kind ``stuck`` that says ``why``.

    What only has to be asked for again needs nobody.
    """
    try:
        return work()
    except Unavailable as refusal:
        log.warning("turn put off", kind=stuck, about=named(subject), why=refusal.code)
    except DomainError as refusal:
        log.warning("turn refused", kind=stuck, about=named(subject), why=refusal.code)
        open_items.open(kind=stuck, subject=subject, why=f"{why}: {refusal}", by=SYSTEM)
    except Exception as error:  # the edge
        log.exception("turn failed", kind=stuck, about=named(subject))
        open_items.open(kind=stuck, subject=subject, why=f"{why}: {type(error).__name__}.", by=SYSTEM)
    return None


def tell(told: Iterable[tuple[Member, dict[str, Any]]], *, kind: notices.Kind, stuck: str) -> int:
    """Tell each member of what follows; how many were. Whom nothing can be told is in an open item of the kind
    ``stuck`` until they were told, or there is nothing to tell."""
    count, failed = 0, list[int]()
    for member, facts in told:
        work = partial(notices.tell, member=member, kind=kind, **facts)
        if take(work, subject=member, stuck=stuck, why="They were to be told something, and that failed") is None:
            failed.append(member.pk)
        else:
            count += 1
    settle(stuck=stuck, due=Member.objects.filter(pk__in=failed))
    return count


def settle(*, stuck: str, due: QuerySet[Any]) -> None:
    """Close the open items of the kind ``stuck`` about all who are not ``due`` any more, by whichever way it came.

    ``due`` is asked after the items are known: one that is opened meanwhile is left to the next run.
    """
    for subject in list(OpenItem.objects.open().filter(kind=stuck).values_list("subject", flat=True)):
        if not due.filter(pk=subject.rpartition(":")[2]).exists():
            open_items.close(kind=stuck, subject=subject, by=SYSTEM, note="it is done now")
