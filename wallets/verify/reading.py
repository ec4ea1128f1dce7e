"""Asking the database for what is wrong."""

import re
from typing import Any
from uuid import UUID

from django.db import connection

_UUID = re.compile(r"\{uuid:([a-z_.]+)\}")


def rows(question: str) -> list[tuple[Any, ...]]:
    """The answer, ``{uuid:column}`` being that column as sources write it."""
    with connection.cursor() as cursor:
        cursor.execute(_UUID.sub(_written, question))
        return list(cursor.fetchall())


def key(value: object) -> str:
    """A UUID as findings write it, whichever way the database gives it."""
    return str(UUID(str(value)))


def _written(column: re.Match[str]) -> str:
    if connection.vendor == "postgresql":
        return f"{column[1]}::text"
    # SQLite keeps 32 digits.
    ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({column[1]}, {start}, {length})" for start, length in ends)


def filled(question: str, **values: str) -> str:
    """The question with ``{name}`` put in for each name, and braces of other things left as they are."""
    for name, value in values.items():
        question = question.replace(f"{{{name}}}", value)
    return question
