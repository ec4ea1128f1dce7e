"""Worker processes: each has Django and a connection of its own, and stays warm through the whole run."""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any


class Worker:
    """A process that does one piece of work after another.

    Work is named, since only the worker can import it, and answers with plain values for the same reason.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, dict(environment)), daemon=True)
        self._process.start()
        theirs.close()

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
        self._process.join(timeout=30)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


@contextmanager
def crew(count: int, environment: Mapping[str, str]) -> Iterator[list[Worker]]:
    """``count`` workers, gone afterwards."""
    workers = [Worker(environment) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def _serve(pipe: "Connection[Any, Any]", environment: dict[str, str]) -> None:
    os.environ.update(environment)
    importlib.import_module("django").setup()
    while True:
        try:
            work, arguments = pipe.recv()
        except (EOFError, ConnectionResetError):
            return  # whoever asks is gone
        module, _, name = work.rpartition(".")
        pipe.send(getattr(importlib.import_module(f"bench.{module}"), name)(**arguments))
