"""Worker processes: each has Django and a connection of its own, and stays warm through the whole run."""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any


class Worker:
    """A process that does one piece of work after another.

    Work is named, since only the worker can import it, and answers with plain values for the same reason.
    """

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe

    def begin(self, work: str, **arguments: Any) -> None:
        """Let it do ``module.function`` of ``bench``; ``finish`` waits for the answer."""
        self._pipe.send((work, arguments))

    def finish(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, ConnectionResetError):
            sys.exit("A worker failed; its own words are above.")

    def ask(self, work: str, **arguments: Any) -> Any:
        self.begin(work, **arguments)
        return self.finish()

    def stop(self) -> None:
        self._pipe.close()


@contextmanager
def crew(count: int, environment: Mapping[str, str]) -> Iterator[list[Worker]]:
    """``count`` workers, gone afterwards. They are forked from one process that has set up Django for all."""
    context = get_context("spawn")
    ours, theirs = zip(*(context.Pipe() for _ in range(count)), strict=True)
    # Not a daemon, which could have no children; with the pipes closed they end, and it after them.
    parent = context.Process(target=_parent, args=(theirs, dict(environment)))
    parent.start()
    for pipe in theirs:
        pipe.close()
    workers = [Worker(pipe) for pipe in ours]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()
        parent.join(timeout=30)
        if parent.is_alive():
            parent.terminate()
            parent.join()


def _parent(pipes: "Sequence[Connection[Any, Any]]", environment: dict[str, str]) -> None:
    os.environ.update(environment)
    importlib.import_module("django").setup()
    context = get_context("fork")
    workers = [context.Process(target=_serve, args=(pipe, pipes), daemon=True) for pipe in pipes]
    for worker in workers:
        worker.start()
    for pipe in pipes:
        pipe.close()
    for worker in workers:
        worker.join()


def _serve(pipe: "Connection[Any, Any]", pipes: "Sequence[Connection[Any, Any]]") -> None:
    for other in pipes:
        if other is not pipe:
            other.close()
    while True:
        try:
            work, arguments = pipe.recv()
        except (EOFError, ConnectionResetError):
            return  # whoever asks is gone
        module, _, name = work.rpartition(".")
        pipe.send(getattr(importlib.import_module(f"bench.{module}"), name)(**arguments))
