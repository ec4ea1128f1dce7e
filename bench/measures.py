"""What is measured, and in which order."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, Final

from bench import pgbench
from bench.crew import Worker
from bench.plan import BATCHES, CLIENTS, Plan
from bench.server import Server

# By name, one figure a round; figures of the same round can be compared with each other.
Samples = dict[str, list[float]]

# The first three leave the same rows, which the closer seals.
SEALED: Final = ("uniform", "hot", "orm")
CONTENDERS: Final = (*SEALED, "hordak")
_REST_SECONDS: Final = 0.1
_FILL_ROWS: Final = 10_000


def prepare(plan: Plan, server: Server, workers: Sequence[Worker]) -> None:
    """Tables and accounts for everyone, and every way warm."""
    workers[0].ask("work.books.migrate_only", apps=["core", "ledger", "hordak"])
    pgbench.fill(server.pgbench, plan.scale)
    cuts = [plan.accounts * n // len(workers) for n in range(len(workers) + 1)]
    together(workers, "work.books.open_accounts", lambda n: {"first": cuts[n], "last": cuts[n + 1]})
    workers[0].ask("peers.hordak.open_accounts", count=plan.accounts)
    workers[0].ask("work.sealing.close")
    workers[0].ask("work.books.tidy")
    for what in CONTENDERS:
        lap(workers, what, plan.warm_seconds)


def singles(plan: Plan, server: Server, workers: Sequence[Worker], closer: Worker) -> Samples:
    """One transfer a transaction, beside pgbench at the same client counts; forwards and backwards by turns."""
    samples: Samples = defaultdict(list)
    order = ["tpcb", *CONTENDERS]
    for number in range(plan.rounds):
        for clients in CLIENTS:
            for what in order if number % 2 == 0 else reversed(order):
                if what == "tpcb":
                    samples[f"tpcb_{clients}"].append(pgbench.rate(server.pgbench, clients, plan.lap_seconds))
                    continue
                rate, cpu = lap(workers[:clients], what, plan.lap_seconds, closer if what in SEALED else None)
                samples[f"{what}_{clients}"].append(rate)
                samples[f"{what}_{clients}_cpu_us"].append(cpu)
    return samples


def lap(workers: Sequence[Worker], what: str, seconds: float, closer: Worker | None = None) -> tuple[float, float]:
    """Transfers a second of all workers together, and the processor time of one in its worker.

    The closer seals meanwhile. What it leaves waiting, the next such lap finds at its start, so that each pays for as
    much sealing as it causes and pgbench for none.
    """
    start = time.monotonic() + _REST_SECONDS
    if closer:
        closer.begin("work.sealing.close_until", start=start, seconds=seconds)
    laps = together(
        workers, "work.singles.lap", lambda n: {"what": what, "seed": n, "start": start, "seconds": seconds}
    )
    if closer:
        closer.finish()
    return sum(rate for rate, _ in laps), fmean(cpu for _, cpu in laps)


def batches(plan: Plan, server: Server, worker: Worker) -> Samples:
    """Many transfers a call from one process, beside pgbench at one client; sealed and tidied between the rounds."""
    samples: Samples = defaultdict(list)
    for number in range(plan.rounds):
        samples["tpcb_many"].append(pgbench.rate(server.pgbench, 1, plan.lap_seconds))
        for size in BATCHES if number % 2 == 0 else reversed(BATCHES):
            rate, drafting = worker.ask("work.batches.post", size=size, rows=max(size, plan.batch_rows), seed=number)
            samples[f"many_{size}"].append(rate)
            samples[f"many_{size}_drafting"].append(drafting)
        sealed, seconds = worker.ask("work.sealing.close")
        samples["seal"].append(sealed / seconds)
    return samples


def reads(plan: Plan, worker: Worker, closer: Worker) -> Samples:
    """Balance and statement page of accounts with few and with many postings."""
    for size in (plan.small, plan.large):
        worker.ask("work.reads.open_pair", size=size)
        for _ in range(0, size, min(size, _FILL_ROWS)):
            closer.begin("work.sealing.close")
            worker.ask("work.reads.fill", size=size, rows=min(size, _FILL_ROWS))
            closer.finish()
    closer.ask("work.sealing.close")
    for size in (plan.small, plan.large):
        worker.ask("work.reads.fill", size=size, rows=plan.tail)
    worker.ask("work.books.tidy")
    spent: dict[str, float] = worker.ask("work.reads.measure", small=plan.small, large=plan.large, times=plan.reads)
    return {f"{kind}_us": [microseconds] for kind, microseconds in spent.items()}


def sqlite(plan: Plan, worker: Worker) -> Samples:
    """The embedded database with the site's pragmas: one transfer a transaction, beside the ORM's; and many a call."""
    samples: Samples = defaultdict(list)
    worker.ask("work.books.migrate_only", apps=["core", "ledger"])
    worker.ask("work.books.open_accounts", first=0, last=plan.accounts // 10)
    for what in ("uniform", "orm"):
        lap([worker], what, plan.warm_seconds)
    for number in range(plan.rounds):
        for what in ("uniform", "orm") if number % 2 == 0 else ("orm", "uniform"):
            rate, _ = lap([worker], what, plan.lap_seconds)
            samples[f"sqlite_{what}"].append(rate)
        rate, _ = worker.ask("work.batches.post", size=BATCHES[-1], rows=BATCHES[-1], seed=number)
        samples[f"sqlite_many_{BATCHES[-1]}"].append(rate)
        worker.ask("work.sealing.close")
    return samples


def together(workers: Sequence[Worker], work: str, arguments: Callable[[int], dict[str, object]]) -> list[Any]:
    """What each answers that does ``work`` with its own arguments, at once."""
    for number, worker in enumerate(workers):
        worker.begin(work, **arguments(number))
    return [worker.finish() for worker in workers]
