"""What waits for its time, asked of all tables in one statement: one by one, the questions were most of what a tick
costs.

    next_expiry = First("expires_at", Hold.objects.open)
    next_expiry(after)  # the earliest such moment that is later, or None
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from paymentsite.core.asking import Question, moment, together

Rows = Callable[[], QuerySet[Any, Any]]

# Stands in a statement that is kept for the moment that it is asked with.
_AFTER: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class First:
    """When the first of some rows, of one table or several, falls due."""

    column: str
    tables: tuple[Rows, ...]

    def __init__(self, column: str, *tables: Rows) -> None:
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "tables", tables)

    def __call__(self, after: datetime) -> datetime | None:
        """The earliest moment later than ``after``."""
        return ask([self], after=after)[0]


@dataclass(frozen=True, slots=True)
class Anything:
    """Whether there are such rows at all."""

    rows: Rows


def ask(wanted: Sequence[First | Anything], *, after: datetime) -> list[datetime | None]:
    """For each of ``wanted`` the first moment later than ``after``; for rows of whatever time, ``after`` itself."""
    if not wanted:
        return []
    statement, values = _statement(connection.vendor, tuple(wanted))
    [rows] = together(Question(statement, [after if value is _AFTER else value for value in values]))
    found: list[datetime | None] = [None] * len(wanted)
    for place, first, there in rows:
        at = after if there else moment(first)
        known = found[place]
        if at and (known is None or at < known):
            found[place] = at
    return found


@lru_cache(maxsize=256)
def _statement(_vendor: str, wanted: tuple[First | Anything, ...]) -> tuple[str, list[Any]]:
    """The statement, and its values with ``_AFTER`` where the moment goes."""
    parts, values = [], list[Any]()
    for place, each in enumerate(wanted):
        match each:
            case First(column, tables):
                for table in tables:
                    later = table().filter(**{f"{column}__gt": _AFTER}).order_by().values(column)
                    parts.append(f"SELECT {place}, MIN(due.{column}), 0 FROM ({_text(later, values)}) due")  # noqa: S608  our own text
            case Anything(rows):
                there = f"CASE WHEN EXISTS ({_text(rows().order_by().values('pk'), values)}) THEN 1 ELSE 0 END"
                parts.append(f"SELECT {place}, CAST(NULL AS {_moments()}), {there}")
    return " UNION ALL ".join(parts), values


def _text(rows: QuerySet[Any, Any], values: list[Any]) -> str:
    text, own = rows.query.sql_with_params()
    kept = connection.ops.adapt_datetimefield_value(_AFTER)
    values += [_AFTER if value in (_AFTER, kept) else value for value in own]
    return text


def _moments() -> str:
    return "timestamptz" if connection.vendor == "postgresql" else "text"
