"""What tests of the ledger share: the book as it stands, row by row, and racers that start together."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

Rows = list[tuple[object, ...]]
Book = dict[str, Rows]


def _read() -> Book:
    tables = {model._meta.db_table: model._meta.pk.column for model in apps.get_app_config("ledger").get_models()}
    with connection.cursor() as cursor:
        book = {}
        for table, key in tables.items():
            cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608  names from our models
            book[table] = cursor.fetchall()
    return book


@pytest.fixture
def book() -> Callable[[], Book]:
    """``book()``: every row of every table of the ledger."""
    return _read


@pytest.fixture
def threads(together) -> Callable[..., list[Any]]:
    def run(count: int, racer: Callable[..., Any], **facts: Any) -> list[Any]:
        told = together(count, lambda number: racer(number, **facts))
        for each in told:
            if isinstance(each, Exception):
                raise each
        return told

    return run
