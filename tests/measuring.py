"""Which tests are measured in a whole run. Measuring makes a test half as slow again, or several times where it starts
processes or goes the same ways a thousand times, so that those are measured that cover the core and the ledger."""

import os
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
# What covers them; on PostgreSQL, what goes other ways there.
_MEASURED: Final = {"sqlite": ("tests/core", "tests/ledger"), "postgres": ("tests/ledger",)}
_NOT_MEASURED: Final = ("races", "histories", "test_checks", "two_ways", "verify_fast", "post_many")
# By which coverage measures the processes that a test starts.
_PROCESSES: Final = "COVERAGE_PROCESS_CONFIG"


def files(database: str) -> list[Path]:
    """The files whose tests are measured on ``database``."""
    found = (file for folder in _MEASURED[database] for file in sorted((ROOT / folder).rglob("test_*.py")))
    return [file for file in found if not any(word in file.name for word in _NOT_MEASURED)]


class Switch:
    """Measures the tests of some files, and not the others."""

    def __init__(self, controller: Any, measured: list[Path]) -> None:
        self.controller = controller
        self.measured = frozenset(measured)
        self.processes = os.environ.get(_PROCESSES)

    def turn(self, path: Path) -> None:
        """Measure from here on, or do not, as befits a test in ``path``."""
        wanted = path in self.measured
        if wanted == self.controller.started:
            return
        if wanted:
            self.controller.resume()
            if self.processes:
                os.environ[_PROCESSES] = self.processes
        else:
            self.controller.pause()
            os.environ.pop(_PROCESSES, None)
