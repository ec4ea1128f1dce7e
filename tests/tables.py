"""What tests do to tables that nobody else may: change history, and empty them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.db import connection

from paymentsite.core import immutability

# What migrations themselves put there, the same for every test.
_FROM_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}


@contextmanager
def unprotected() -> Iterator[None]:
    """Let history be changed here, as someone with all rights over the database could.

    PostgreSQL is told that it replays a replica, which fires neither our triggers nor foreign keys (only a
    superuser may); SQLite loses the triggers, and its foreign keys where no transaction is open.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = origin")
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')
    try:
        yield
    finally:
        immutability.install(connection)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = ON")


def empty() -> None:
    """Empty every table that is filled, but those that migrations filled; all triggers stand afterwards."""
    if there := filled():
        with unprotected(), connection.cursor() as cursor:
            for table in there:
                cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608  a table's name
    immutability.install(connection)


def filled() -> list[str]:
    """The tables that hold something, but for those that migrations filled."""
    with connection.cursor() as cursor:
        cursor.execute(_which_are_filled())
        return [table for (table,) in cursor.fetchall()]


@cache
def known() -> list[str]:
    """The names of all tables but those that migrations filled: they do not change."""
    return sorted(set(connection.introspection.django_table_names()) - _FROM_MIGRATIONS)


@cache
def _which_are_filled() -> str:
    """Asked after every test that commits."""
    looks = [f"SELECT '{t}' WHERE EXISTS (SELECT 1 FROM \"{t}\")" for t in known()]  # noqa: S608  names again
    return " UNION ALL ".join(looks)
