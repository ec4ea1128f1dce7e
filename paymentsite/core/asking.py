"""Several statements on one way to the database and back: for acts that may not wait for each of theirs.

    found, sums = together(Question("SELECT …", [pk]), Question("SELECT …", [pk, since]))

On PostgreSQL they are sent at once and answered at once; on SQLite there is no way to save.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from django.db import connection, models

Row = tuple[Any, ...]
_PLACE: Final = "%s"


@dataclass(frozen=True, slots=True)
class Question:
    """A statement, with ``%s`` where its values go. It asks, or it writes."""

    statement: str
    values: Sequence[Any] = ()


def together(*questions: Question) -> list[list[Row]]:
    """What each of ``questions`` is answered: rows, or none where it wrote.

    They are answered one after the other, so that a later one sees what an earlier one wrote. Whoever writes has a
    transaction open: else what of it stays where one fails is the database's to say.
    """
    connection.validate_no_broken_transaction()
    return _at_once(questions) if connection.vendor == "postgresql" else [_one(each) for each in questions]


def _at_once(questions: Sequence[Question]) -> list[list[Row]]:
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Row]", connection.connection)
    with connection.wrap_database_errors, ExitStack() as stack:
        cursors = [stack.enter_context(connection.cursor()) for _ in questions]
        with raw.pipeline():
            for cursor, each in zip(cursors, questions, strict=True):
                cursor.execute(each.statement, each.values)
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def _one(question: Question) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(question.statement, [_plain(value) for value in question.values])
        return list(cursor.fetchall())


def _plain(value: Any) -> Any:
    """As SQLite keeps it."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case date():
            return value.isoformat()
    return value


def moment(value: Any) -> datetime | None:
    """A moment as either database tells it."""
    told = datetime.fromisoformat(value) if isinstance(value, str) else cast("datetime | None", value)
    return told.replace(tzinfo=UTC) if told and told.tzinfo is None else told


def insertion(row: models.Model) -> Question:
    """The statement that writes ``row`` down; its key is its own, or the table's to give."""
    model = type(row)
    fields = _fields(model)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    return Question(_insert(model), values)


@lru_cache(maxsize=64)
def _insert(model: type[models.Model]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _fields(model))
    places = ", ".join(_PLACE for _ in _fields(model))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  our own names


@lru_cache(maxsize=64)
def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
