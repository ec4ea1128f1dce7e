"""pgbench's TPC-B-like transaction: the yardstick."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from tests.servers import embedded

_TPS: Final = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def fill_arguments(scale: int) -> list[str]:
    """What makes pgbench's tables, 100,000 accounts to the scale."""
    return ["-i", "-q", "-s", str(scale)]


def fill(url: str, scale: int) -> None:
    _run([*fill_arguments(scale), url])


def arguments(clients: int, seconds: float) -> list[str]:
    """What pgbench is given: its default protocol, and a thread for each core at most."""
    threads = min(clients, os.cpu_count() or 1)
    return ["-b", "tpcb-like", "-c", str(clients), "-j", str(threads), "-T", str(max(1, round(seconds)))]


def rate(url: str, clients: int, seconds: float) -> float:
    """Transactions a second, connecting left out."""
    said = _run([*arguments(clients, seconds), url])
    found = _TPS.search(said)
    if found is None:
        raise RuntimeError(f"pgbench told no rate: {said}")
    return float(found[1])


def _run(arguments: list[str]) -> str:
    program = Path(embedded().__file__).parent / "pginstall" / "bin" / "pgbench"
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
