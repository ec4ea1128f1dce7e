"""Threads that begin together, each with a connection of its own.

They are kept from race to race with their connections, as a web process keeps its own: a new one costs the server more
than most races do, for it knows no table and no plan yet.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Barrier, Thread
from typing import Any

from django.db import connection
from django.utils import translation

_kept: list["_Racer"] = []


class _Racer:
    def __init__(self) -> None:
        self.asked: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self.answered: SimpleQueue[Any] = SimpleQueue()
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while work := self.asked.get():
            self.answered.put(_done(work))
        connection.close()

    def leave(self) -> None:
        self.asked.put(None)
        self.thread.join()


def run_together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What ``work(0)`` … ``work(count - 1)`` returned, in order; or raised, for the caller to count."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        _come(barrier)
        return work(number)

    while len(_kept) < count:
        _kept.append(_Racer())
    for number, racer in enumerate(_kept[:count]):
        racer.asked.put(lambda number=number: run(number))
    return [racer.answered.get() for racer in _kept[:count]]


def dismiss() -> None:
    """Threads and connections are gone; the next race has new ones, with what is now set for new ones."""
    while _kept:
        _kept.pop().leave()


def _done(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001  carried to the test's own thread
        return error
    finally:
        translation.deactivate()
        # One that an error or an unfinished transaction may have left in some state is not taken to the next race.
        if connection.errors_occurred or connection.in_atomic_block or connection.vendor != "postgresql":
            connection.close()


def _come(barrier: Barrier) -> None:
    try:
        connection.ensure_connection()
    except Exception:
        # Who cannot come keeps nobody waiting for ever.
        barrier.abort()
        raise
    barrier.wait()
