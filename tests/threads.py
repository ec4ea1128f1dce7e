"""Threads that begin together, each with a connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connection


def run_together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What ``work(0)`` … ``work(count - 1)`` returned, in order; or raised, for the caller to count."""
    barrier, results = Barrier(count), [None] * count

    def run(number: int) -> None:
        try:
            _come(barrier)
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


def _come(barrier: Barrier) -> None:
    try:
        connection.ensure_connection()
    except Exception:
        # Who cannot come keeps nobody waiting for ever.
        barrier.abort()
        raise
    barrier.wait()
