"""Which tests are measured in a whole run. Measuring makes a test half as slow again, or several times where it starts
processes or goes the same ways a thousand times, so that those are measured that cover the core and the ledger."""

import os
from pathlib import Path
from typing import Final

from coverage import Coverage

ROOT: Final = Path(__file__).resolve().parent.parent
# What covers them; on PostgreSQL, what goes ways there that nothing goes on SQLite.
_MEASURED: Final = {
    "sqlite": ("core/**/test_*.py", "ledger/**/test_*.py"),
    "postgres": tuple(
        f"ledger/test_{what}.py"
        for what in (
            "broken_commits",
            "demo",
            "holds",
            "manual",
            "refusals_of_what_went_back",
            "seals",
            "swift_python",
            "wire",
        )
    ),
}
# What covers nothing that others do not, or next to nothing for its time.
_NOT_MEASURED: Final = (
    *("races", "histories", "test_checks", "two_ways", "verify_fast", "post_many"),
    *("replay", "canon", "labels", "deeds_take_rights"),
)
# By which coverage measures the processes that a test starts.
_PROCESSES: Final = "COVERAGE_PROCESS_CONFIG"


def files(database: str) -> list[Path]:
    """The files whose tests are measured on ``database``."""
    found = (file for name in _MEASURED[database] for file in sorted((ROOT / "tests").glob(name)))
    return [file for file in found if not any(word in file.name for word in _NOT_MEASURED)]


class Switch:
    """Measures the tests of some files, and not the others."""

    def __init__(self, measured: list[Path]) -> None:
        self.measured = frozenset(measured)
        self.processes = os.environ.get(_PROCESSES, "")
        self.paused: list[Coverage] = []

    def turn(self, path: Path) -> None:
        """Measure from here on, or do not, as befits a test in ``path``."""
        if path in self.measured:
            self._resume()
        else:
            self._pause()

    def _pause(self) -> None:
        # A process of pytest's has two: its own, and the one that every process starts with.
        while current := Coverage.current():
            current.stop()
            self.paused.append(current)
        os.environ.pop(_PROCESSES, None)

    def _resume(self) -> None:
        if not self.paused:
            return
        while self.paused:
            self.paused.pop().start()
        os.environ[_PROCESSES] = self.processes
