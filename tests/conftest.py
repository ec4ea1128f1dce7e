from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import translation

from paymentsite.core import immutability


@contextmanager
def _unprotected() -> Iterator[None]:
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


@pytest.fixture(scope="session", autouse=True)
def unconnected() -> Iterator[None]:
    """No gateway is configured, the developer's own sandbox neither, but by a test that needs one."""
    with override_settings(GATEWAYS={}):
        yield


@pytest.fixture(autouse=True)
def speechless() -> Iterator[None]:
    """A page that was answered leaves its language behind in the thread; the next test speaks its own."""
    yield
    translation.deactivate()


@pytest.fixture
def unprotected() -> Callable[[], AbstractContextManager[None]]:
    """``with unprotected(): …`` plants a corruption that the triggers would refuse."""
    return _unprotected


@pytest.fixture
def together() -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """``together(8, work)``: ``work(0)`` … ``work(7)`` at once, each in a thread with its own connection.

    Gives back what each returned, in order; an exception is given back too, for the test to count.
    """

    def run_together(count: int, work: Callable[[int], Any]) -> list[Any]:
        barrier, results = Barrier(count), [None] * count

        def run(number: int) -> None:
            try:
                connection.ensure_connection()
                barrier.wait()
                results[number] = work(number)
            except Exception as error:  # noqa: BLE001  carried to the test's own thread
                results[number] = error
            finally:
                connection.close()

        threads = [Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run_together


# What migrations themselves put there, the same for every test.
_FROM_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _emptied_past_triggers() -> Iterator[None]:
    """A test that commits is cleaned up by emptying the tables that it filled, past the triggers that refuse that.

    Django's own way empties every table, migrates nothing anew and makes all permissions again: a third of a second.
    """

    def empty(_case: TransactionTestCase) -> None:
        if filled := _filled_tables():
            with _unprotected(), connection.cursor() as cursor:
                for table in filled:
                    cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608  a table's name
        immutability.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


def _filled_tables() -> list[str]:
    tables = set(connection.introspection.table_names()) - _FROM_MIGRATIONS
    looks = [f"SELECT '{t}' WHERE EXISTS (SELECT 1 FROM \"{t}\")" for t in sorted(tables)]  # noqa: S608  names again
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return [table for (table,) in cursor.fetchall()]
