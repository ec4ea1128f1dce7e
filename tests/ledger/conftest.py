"""The book as it stands, row by row, for tests that compare it before and after."""

from collections.abc import Callable

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
