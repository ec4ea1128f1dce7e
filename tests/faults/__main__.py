"""``./script/faults``: the long run of what ``test_crashes`` does, and a page that tells what came of it."""

import argparse
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.faults import servers
from tests.faults.campaign import Outcome, Report, kill_clients, kill_server
from tests.faults.servers import ROOT, Postgres

EARLY_KILLS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign: what was killed, and what its honest clients and the planted bug came to."""

    what: str
    kills: int
    honest: Outcome
    early: Outcome

    @classmethod
    def of(cls, what: str, report: Report, early: Report | None = None) -> "Row":
        return cls(what, report.kills, report.honest, (early or report).early)

    @property
    def found_out(self) -> bool:
        return bool(self.early.faults)

    def __str__(self) -> str:
        lost = sum(": lost:" in fault for fault in self.honest.faults)
        other = len(self.honest.faults) - lost
        cells = (self.what, self.kills, f"{self.honest.acknowledged:,}", self.honest.unheard, lost, other)
        return f"| {' | '.join(map(str, cells))} | {'yes' if self.found_out else 'NO'} |"


def main() -> None:
    options = asked()
    rows, version = campaigns(options.kills, options.acts)
    page = PAGE.format(
        command=f"./script/faults --kills {options.kills} --acts {options.acts}",
        commit=commit(),
        machine=f"{platform.system()}, Python {platform.python_version()}, PostgreSQL {version}",
        rows="\n".join(map(str, rows)),
        sum=f"{sum(row.honest.acknowledged for row in rows):,}",
    )
    if options.output:
        options.output.write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)
    faults = [fault for row in rows for fault in row.honest.faults]
    faults += [f"{row.what}: the planted bug was not found" for row in rows if not row.found_out]
    sys.exit("\n".join(faults) or None)


def asked() -> Any:
    parser = argparse.ArgumentParser(prog="./script/faults", description="kill -9, again and again; what is lost?")
    few = "with a few the planted bug may stay unfound, and the run ends red"
    parser.add_argument("--kills", type=int, default=20, help=f"how often in each campaign (20); {few}")
    parser.add_argument("--acts", type=int, default=60, help="what each client does at least between two (60)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the page to FILE")
    return parser.parse_args()


def campaigns(kills: int, acts: int) -> tuple[list[Row], str]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="paymentsite-faults-") as name, servers.postgres() as server:
        folder = Path(name)
        with psycopg.connect(server.url()) as connection:
            version = connection.info.parameter_status("server_version") or "?"

        report = kill_clients(server.url(), folder, kills=kills, honest=2, acts=acts)
        rows.append(told(Row.of("clients on PostgreSQL, SIGKILL", report)))
        for what, how in HOW.items():
            report = kill_server(server, folder, kills=kills, how=how, honest=2, acts=acts)
            rows.append(told(Row.of(what, report)))

        url = f"sqlite:///{folder}/books.sqlite3"
        servers.migrate(url)
        report = kill_clients(url, folder, kills=kills, honest=2, early=0, acts=acts)
        early = kill_clients(url, folder, kills=EARLY_KILLS, honest=0)
        rows.append(told(Row.of("clients on SQLite, SIGKILL", report, early)))
    return rows, version


HOW: Final = {
    "PostgreSQL, SIGKILL to all its processes": Postgres.kill,
    "PostgreSQL, stopped as `immediate`": lambda server: server.stop("immediate"),
}


def told(row: Row) -> Row:
    sys.stderr.write(f"{row}\n")
    return row


def commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


PAGE: Final = """# Faults

What became of everything that was acknowledged, when processes were killed at random moments under load. Two clients
do transfers, batches, holds, captures and acts of several posts, refusals among them; each writes what it was answered
to a file outside the database, on the disk before its next act, and is made to repeat what it heard no answer to.
Afterwards every acknowledged reference must be there once and answer as it did, nothing else may be there but the act
that was under way, and the books must balance.

A third client has a planted bug: it acknowledges before it commits. The same check must find it out.

    {command}

at {commit} ({machine}):

| killed | times | acknowledged | done, never heard of | lost | doubled or changed | planted bug found |
|---|---|---|---|---|---|---|
{rows}

{sum} acknowledged references in all. *Times* counts the kills of each client, or of the server.

What one machine cannot show by killing processes: a power cut, since the operating system keeps what was written. That
is what `fsync`, `full_page_writes` and `synchronous=FULL` are for, and the start is refused without them.
"""

if __name__ == "__main__":
    main()
