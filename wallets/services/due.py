"""Work that time brings for many rows at once, each for itself."""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from django.db.models import Model, QuerySet

from members.services import turns
from paymentsite.core.actors import SYSTEM
from paymentsite.core.services import open_items

log = structlog.get_logger(__name__)

RowT = TypeVar("RowT", bound=Model)
_CHUNK: Final = 200


def each(due: QuerySet[RowT], work: Callable[[RowT], bool], *, stuck: str) -> int:
    """Do ``work`` for one row of ``due`` after the other until none is due; for how many it did something.

    A row for which it fails unexpectedly keeps no other waiting: it stays due, and a person looks at it, in an open
    item of the kind ``stuck``, until it is not due any more.
    """
    done, broken = 0, list[int]()
    while rows := list(due.exclude(pk__in=broken)[:_CHUNK]):
        for row in rows:
            try:
                done += work(row)
            except Exception as error:  # the edge: one row's failure keeps no other from its turn
                log.exception("due work failed", row=f"{row._meta.label_lower}:{row.pk}")
                broken.append(row.pk)
                why = f"Its time has come, and what was to be done failed: {type(error).__name__}."
                open_items.open(kind=stuck, subject=row, why=why, by=SYSTEM)
    turns.settle(stuck=stuck, due=due)
    return done
