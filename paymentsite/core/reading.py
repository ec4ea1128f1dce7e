"""Reading much, at one moment of the database: by one process, or by several that all see that same moment."""

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import django
from django.db import connection, transaction

T = TypeVar("T")
R = TypeVar("R")

_VIEW: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# What compiles a query for speed takes longer than the query; sorts and hash tables of a large book need some room.
_SETTINGS: Final = ("SET LOCAL jit = off", "SET LOCAL work_mem = '64MB'")
_shared_as: ContextVar[str] = ContextVar("shared_as", default="")


@contextmanager
def one_view() -> Iterator[None]:
    """See, inside, the database as it is now, whatever others commit meanwhile, and make nobody wait.

    Inside a transaction that is open already, what that one sees is seen.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            _run(_VIEW, *_SETTINGS)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_export_snapshot()")
                token = _shared_as.set(str(cursor.fetchone()[0]))
            try:
                yield
            finally:
                _shared_as.reset(token)
    else:
        with _reading_on_sqlite(), transaction.atomic():
            yield


@contextmanager
def _reading_on_sqlite() -> Iterator[None]:
    """Begin without the write lock that our transactions else take at once."""
    connection.ensure_connection()  # which is when it learns its mode
    driver: Any = connection
    usual, driver.transaction_mode = driver.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        driver.transaction_mode = usual


def spread(work: Callable[[T], R], tasks: Iterable[T], *, processes: int) -> Iterator[R]:
    """What ``work`` makes of each task, in order, all of it on the view that is open here.

    With more than one process, ``work`` and the tasks must be picklable. A view that cannot be shared (SQLite, or a
    transaction that was open before) is read by this process alone.
    """
    shared_as = _shared_as.get()
    if not shared_as or processes < 2:  # noqa: PLR2004  one process is no pool
        yield from map(work, tasks)
        return
    # Started afresh: a forked copy would share this process's connection, and macOS does not allow it.
    context = multiprocessing.get_context("spawn")
    given = (connection.settings_dict["NAME"], shared_as)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_join, initargs=given) as pool:
        yield from pool.map(work, tasks)


def _join(database: str, shared_as: str) -> None:
    """See, from now on in this new process, what the view ``shared_as`` sees."""
    # Rows by the ten thousand hold no cycles, and looking for some takes a third of the time.
    gc.disable()
    django.setup()
    connection.settings_dict["NAME"] = database
    connection.set_autocommit(False)
    _run(_VIEW, f"SET TRANSACTION SNAPSHOT '{shared_as}'", *_SETTINGS)


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
