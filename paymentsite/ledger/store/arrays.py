"""Rows on their way to PostgreSQL, column by column: an array of each, or one value where all rows have the same."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from paymentsite.ledger.canon import text

Column = tuple[str, str, bool]  # its name, its type, and whether one value stands for all rows


class Rows:
    """What one statement inserts into ``table``. Columns that have one value need neither be written out nor read."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.columns: list[Column] = []
        self.values: list[str | None] = []
        self.arrays: list[str] = []

    def each(self, name: str, kind: str, items: Sequence[str]) -> None:
        """A column that differs from row to row."""
        self.columns.append((name, kind, False))
        self.arrays.append(array(items))

    def often_one(self, name: str, kind: str, values: Sequence[Any], write: Callable[[Any], str]) -> None:
        """A column that is often the same in all rows; ``write`` says how a value stands in an array."""
        first = values[0]
        if values.count(first) == len(values):
            self.columns.append((name, kind, True))
            self.values.append(_ALONE.get(type(first), str)(first))
        else:
            self.each(name, kind, [write(value) for value in values])

    def insert(self) -> tuple[str, Sequence[str | None]]:
        """The statement and its parameters."""
        return _insert(self.table, tuple(self.columns)), [*self.values, *self.arrays]


@lru_cache(maxsize=256)
def _insert(table: str, columns: tuple[Column, ...]) -> str:
    names = ", ".join(name for name, _, _ in columns)
    values = ", ".join(f"%s::{kind}" if one else f"each.{name}" for name, kind, one in columns)
    differing = [(name, kind) for name, kind, one in columns if not one]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in differing)
    return (
        f"INSERT INTO {table} ({names}) SELECT {values}"
        f" FROM unnest({arrays}) AS each({', '.join(name for name, _ in differing)})"
    )


def array(items: Sequence[str]) -> str:
    """An array of items that need no quotes, or have them."""
    return f"{{{','.join(items)}}}"


def numbers(values: Sequence[int | None]) -> str:
    return array([number(value) for value in values])


def number(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def key(value: UUID | None) -> str:
    return "NULL" if value is None else value.hex


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ")


def moment_quoted(at: datetime) -> str:
    return f'"{moment(at)}"'


def document(value: Any) -> str | None:
    """JSON as it is stored. Compared as text: in Python ``{"n": 1}`` equals ``{"n": True}``."""
    return None if value is None else text(value)


def _none(_: None) -> None:
    return None


# How a value stands by itself.
_ALONE: dict[type[Any], Callable[[Any], str | None]] = {
    type(None): _none,
    datetime: moment,
    UUID: key,
}
