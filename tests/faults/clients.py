"""A client that does one act for each line that it is told; see ``client.obey``."""

import subprocess
import sys
import time
from collections.abc import Callable
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Final, Self

from tests.faults.servers import ROOT, environment

_PATIENCE_SECONDS: Final = 60


class Obeying:
    def __init__(self, url: str, name: str, *, what: str = "obey") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.client", what, name],
            cwd=ROOT,
            env=environment(url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self, *, seconds: float = _PATIENCE_SECONDS) -> str:
        """What became of the act, in words; fails when that takes longer."""
        try:
            return self._lines.get(timeout=seconds)
        except Empty:
            raise AssertionError(f"no answer within {seconds} seconds") from None

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.hear()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
