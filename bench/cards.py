"""``./script/bench-cards``: how long a question about a card takes, whatever stands beside it."""

import argparse
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from bench import machine, pgbench, server
from bench.__main__ import production, tell
from bench.crew import Worker, crew

_WARM: Final = 30


@dataclass(frozen=True, slots=True)
class Plan:
    members: int
    crowd: int
    times: int
    rounds: int
    scale: int


FULL: Final = Plan(members=100, crowd=10_000, times=1_000, rounds=5, scale=20)
QUICK: Final = Plan(members=3, crowd=200, times=30, rounds=1, scale=1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./script/bench-cards", description="How long a question about a card takes.")
    parser.add_argument("--quick", action="store_true", help="only roughly true")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the page to FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    text = page(measure(QUICK if options.quick else FULL), QUICK if options.quick else FULL)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)


def measure(plan: Plan) -> dict[str, list[float]]:
    """Milliseconds by what was asked: few cards, many beside them, a range of ten million numbers; and pgbench's."""
    found: dict[str, list[float]] = {"tpcb": []}
    with tempfile.TemporaryDirectory(prefix="paymentsite-bench-") as folder, server.running() as there:
        environment = production(Path(folder)) | {"DATABASE_URL": there.site}
        with crew(1, environment) as (worker,):
            tell("cards")
            worker.ask("work.books.migrate")
            pgbench.fill(there.pgbench, plan.scale)
            worker.ask("work.cards.issue", count=plan.members)
            worker.ask("work.books.tidy")
            tell("questions")
            _rounds(plan, there, worker, found, {"alone": "few", "wide range": "many"})
            worker.ask("work.cards.crowd", count=plan.crowd)
            _rounds(plan, there, worker, found, {"crowded": "few"})
    return found


def _rounds(plan: Plan, there: server.Server, worker: Worker, found: dict[str, list[float]], what: Any) -> None:
    for name in what.values():
        worker.ask("work.cards.ask", name=name, times=_WARM)
    for _ in range(plan.rounds):
        found["tpcb"].append(1e3 / pgbench.rate(there.pgbench, 1, 2))
        for told, name in what.items():
            found.setdefault(told, []).extend(worker.ask("work.cards.ask", name=name, times=plan.times))


def page(found: dict[str, list[float]], plan: Plan) -> str:
    """docs/performance-cards.md."""
    tpcb = median(found["tpcb"])
    rows = []
    for told in ("alone", "wide range", "crowded"):
        half, last = median(found[told]), quantiles(found[told], n=100)[98]
        grown = half / median(found["alone"])
        rows.append(f"| {told} | {grown:.2f} | {half / tpcb:.1f} | {last / tpcb:.1f} | {half:.2f} | {last:.2f} |")
    table = "\n".join(rows)
    return f"""# Questions about cards

How long `authorising.authorise` takes from one process, beside pgbench's TPC-B-like transaction at one client in the
same run ({tpcb:.2f} ms). Written by `./script/bench-cards --output docs/performance-cards.md`: commit
{machine.commit()}, {machine.described()}.
{plan.members} members with two cards each, {plan.times} questions a round, {plan.rounds} rounds.

| what | p50 / alone | p50 / TPC-B | p99 / TPC-B | p50, ms | p99, ms |
| --- | --- | --- | --- | --- | --- |
{table}

*Alone*: {2 * plan.members} cards, of a range of 10,000 numbers. *Wide range*: the same of one of ten million.
*Crowded*: beside {plan.crowd:,} cards more. Six ways to the database and back each, beginning and committing counted.
"""


if __name__ == "__main__":
    main()
