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
from typing import Final

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


@dataclass(slots=True)
class Client:
    """One client and its file of acknowledgements, which outlives it."""

    name: str
    url: str
    path: Path
    early: bool = False
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        what = "early" if self.early else "run"
        words = [sys.executable, "-m", "tests.faults.client", what, self.name, str(self.path)]
        self.process = subprocess.Popen(words, cwd=ROOT, env=environment(self.url), stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL, "the client had ended by itself"
        self.process = None

    def acts(self) -> int:
        """How many acts it has acknowledged."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def check(self, outcome: Outcome) -> None:
        words = [sys.executable, "-m", "tests.faults.client", "check", self.name, str(self.path)]
        done = subprocess.run(words, cwd=ROOT, env=environment(self.url), capture_output=True, text=True, check=False)
        if done.returncode:
            outcome.faults.append(done.stderr.strip().splitlines()[-1])
            return
        counted = json.loads(done.stdout)
        outcome.acknowledged += counted["acknowledged"]
        outcome.unheard += counted["unheard"]


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
    return _checked(crew, report)


@contextmanager
def _running(url: str, folder: Path, honest: int, early: int) -> Iterator[list[Client]]:
    # Names of their own for each campaign: the books of the one before stay in the database.
    names = [f"{os.getpid()}x{time.monotonic_ns()}x{number}" for number in range(honest + early)]
    crew = [Client(name, url, folder / name, early=place >= honest) for place, name in enumerate(names)]
    try:
        for client in crew:
            client.start()
        yield crew
    finally:
        for client in crew:
            if client.process is not None:
                client.process.kill()
                client.process.wait()


def _let_work(crew: list[Client], acts: int) -> None:
    """Wait until every honest client did ``acts`` more acts and the other one some, and then for a random moment."""
    wanted = {client.name: client.acts() + (EARLY_ACTS if client.early else acts) for client in crew}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(client.acts() < wanted[client.name] for client in crew):
        for client in crew:
            assert client.process is not None
            assert client.process.poll() is None, f"{client.name} has ended"
        assert time.monotonic() < deadline, "a client does nothing"
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))


def _checked(crew: list[Client], report: Report) -> Report:
    for client in crew:
        client.check(report.early if client.early else report.honest)
    return report
