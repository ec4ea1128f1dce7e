"""Killing at random moments, and counting what became of everything that was acknowledged."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.servers import ROOT, Postgres, environment

EARLY_ACTS: Final = 5
_PATIENCE_SECONDS: Final = 120


@dataclass(slots=True)
class Outcome:
    """What the clients of one kind had been told when it was over, and what was found wrong with that."""

    acknowledged: int = 0
    unheard: int = 0  # done, but killed before anybody could be told
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """``early`` are the clients with the planted bug: the check that finds nothing with the others finds them out."""

    kills: int = 0
    honest: Outcome = field(default_factory=Outcome)
    early: Outcome = field(default_factory=Outcome)


class Forks:
    """A process with the site loaded, from which the clients of a campaign are forked."""

    def __init__(self, url: str) -> None:
        words = [sys.executable, "-m", "tests.faults.client", "fork"]
        self._process = subprocess.Popen(
            words, cwd=ROOT, env=environment(url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, what: str, name: str, path: Path) -> int:
        pid: int = self._ask(what, name, str(path))
        return pid

    def ended(self, pid: int, *, patient: bool = False) -> int | None:
        """How the process ended, if it did; ``patient`` waits until it has."""
        code: int | None = self._ask("ended", pid, patient)
        return code

    def close(self) -> None:
        """None of those that were forked is left."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, *words: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(words)}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass(slots=True)
class Client:
    """One client and its file of acknowledgements, which outlives it."""

    name: str
    forks: Forks
    path: Path
    early: bool = False
    pid: int = 0

    def start(self) -> None:
        self.pid = self.forks.start("early" if self.early else "run", self.name, self.path)

    def alive(self) -> bool:
        return self.forks.ended(self.pid) is None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert self.forks.ended(self.pid, patient=True) == -signal.SIGKILL, "the client had ended by itself"

    def acts(self) -> int:
        """How many acts it has acknowledged."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def check(self, outcome: Outcome) -> None:
        self.forks.ended(self.forks.start("check", self.name, self.path), patient=True)
        said = json.loads(self.path.with_name(f"{self.path.name}.said").read_text())
        if fault := said.get("fault"):
            outcome.faults.append(fault.splitlines()[0])
            return
        outcome.acknowledged += said["acknowledged"]
        outcome.unheard += said["unheard"]


def kill_clients(url: str, folder: Path, *, kills: int, honest: int = 1, early: int = 1, acts: int = 10) -> Report:
    """Every client is killed ``kills`` times, after ``acts`` more acts each time, and started again."""
    report = Report()
    with _running(url, folder, honest, early) as crew:
        while report.kills < kills:
            _let_work(crew, acts)
            for client in crew:
                client.kill()
            report.kills += 1
            for client in crew:
                client.start()
        for client in crew:
            client.kill()
        return _checked(crew, report)


def kill_server(
    server: Postgres, folder: Path, *, kills: int, how: Callable[[Postgres], object], honest: int = 1, acts: int = 10
) -> Report:
    """The server is killed ``kills`` times under its clients, which go on by themselves when it is back."""
    report = Report()
    with _running(server.url(), folder, honest, 1) as crew:
        while report.kills < kills:
            _let_work(crew, acts)
            how(server)
            report.kills += 1
            server.start()
        for client in crew:
            client.kill()
        return _checked(crew, report)


@contextmanager
def _running(url: str, folder: Path, honest: int, early: int) -> Iterator[list[Client]]:
    # Names of their own for each campaign: the books of the one before stay in the database.
    names = [f"{os.getpid()}x{time.monotonic_ns()}x{number}" for number in range(honest + early)]
    forks = Forks(url)
    crew = [Client(name, forks, folder / name, early=place >= honest) for place, name in enumerate(names)]
    try:
        for client in crew:
            client.start()
        yield crew
    finally:
        forks.close()


def _let_work(crew: list[Client], acts: int) -> None:
    """Wait until every honest client did ``acts`` more acts and the other one some, and then for a random moment."""
    wanted = {client.name: client.acts() + (EARLY_ACTS if client.early else acts) for client in crew}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(client.acts() < wanted[client.name] for client in crew):
        for client in crew:
            assert client.alive(), f"{client.name} has ended"
        assert time.monotonic() < deadline, "a client does nothing"
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))


def _checked(crew: list[Client], report: Report) -> Report:
    for client in crew:
        client.check(report.early if client.early else report.honest)
    return report
