"""Processes with Django and a connection of their own, kept warm, for races that threads of one process cannot show."""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connection

_PATIENCE_SECONDS = 300


@contextmanager
def crew(most: int) -> Iterator[Callable[..., list[Any]]]:
    """``run(count, work, **facts)``: ``work(0, **facts)`` … at once, each in a process; what they returned."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.django_ready"])
    barrier = context.Barrier(most)
    database = str(connection.settings_dict["NAME"])
    pipes, processes = [], []
    for number in range(most):
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, barrier, database, number), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)

    def run(count: int, work: Callable[..., Any], **facts: Any) -> list[Any]:
        # All come to the barrier; those beyond ``count`` then have nothing to do.
        for number, pipe in enumerate(pipes):
            pipe.send((work if number < count else None, facts))
        results = []
        for pipe in pipes:
            assert pipe.poll(_PATIENCE_SECONDS), "a racer hangs"
            results.append(pipe.recv())
        return results[:count]

    try:
        yield run
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(timeout=30)
            if process.is_alive():
                process.kill()
                process.join()


def _serve(pipe: "Connection[Any, Any]", barrier: Barrier, database: str, number: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
    settings = importlib.import_module("django.conf").settings
    settings.DATABASES["default"]["NAME"] = database
    importlib.import_module("django").setup()
    while True:
        try:
            work, facts = pipe.recv()
        except EOFError:
            return
        connection.ensure_connection()
        barrier.wait(_PATIENCE_SECONDS)
        pipe.send(None if work is None else work(number, **facts))
        connection.close()
