"""Finding rows by what an index answers: their public id, or the id of a member in them."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


def by_id_or_member(queryset: QuerySet[M], term: str, *, members: tuple[str, ...]) -> QuerySet[M]:
    term = term.strip()
    if not term:
        return queryset
    if term.isdecimal() and len(term) < 19:  # noqa: PLR2004  64 bits
        wanted: Any = Q()
        for name in members:
            wanted |= Q(**{name: int(term)})
        return queryset.filter(wanted)
    try:
        return queryset.filter(public_id=UUID(term))
    except ValueError:
        return queryset.none()
