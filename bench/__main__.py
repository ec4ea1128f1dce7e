"""``./script/bench``: everything measured in one run."""

import argparse
import json
import secrets
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import machine, measures, pgbench, report, server
from bench.crew import crew
from bench.plan import CLIENTS, FULL, QUICK, Plan


def main() -> None:
    options = asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    if options.lap:
        plan = replace(plan, lap_seconds=options.lap, warm_seconds=min(plan.warm_seconds, options.lap))
    run, samples = measure(plan)
    found = report.figures(samples)
    text = report.page(run, found)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    if options.json:
        print(json.dumps(found, indent=2))
    elif not options.output:
        print(text)


def asked() -> Any:
    parser = argparse.ArgumentParser(prog="./script/bench", description="How fast the ledger is, beside pgbench.")
    parser.add_argument(
        "--quick", action="store_true", help="a minute instead of a quarter of an hour; only roughly true"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="how often everything is measured in turn")
    parser.add_argument("--lap", type=float, metavar="SECONDS", help="how long each rate is measured at a time")
    parser.add_argument("--json", action="store_true", help="print one object of numbers")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the page to FILE")
    return parser.parse_args()


def measure(plan: Plan) -> tuple[report.Run, measures.Samples]:
    samples: measures.Samples = {}
    with tempfile.TemporaryDirectory(prefix="paymentsite-bench-") as folder, server.running() as there:
        environment = production(Path(folder))
        with crew(max(CLIENTS) + 1, environment | {"DATABASE_URL": there.site}) as (closer, *workers):
            tell("accounts")
            measures.prepare(plan, there, workers)
            tell("single transfers")
            samples |= measures.singles(plan, there, workers, closer)
            tell("many a call")
            samples |= measures.batches(plan, there, workers[0])
            tell("reads")
            samples |= measures.reads(plan, workers[0], closer)
        tell("SQLite")
        with crew(1, environment | {"DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3"}) as (worker,):
            samples |= measures.sqlite(plan, worker)
    return described(plan, there), samples


def production(folder: Path) -> dict[str, str]:
    """The site's environment as production has it, with keys of its own."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "PRODUCTION": "1",
        "DEBUG": "0",
        "SANDBOX": "0",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "localhost",
        "LOG_LEVEL": "WARNING",
    }
    keys = folder / "keys.json"
    with crew(1, environment | {"DATABASE_URL": f"sqlite:///{folder}/keys.sqlite3"}) as (worker,):
        worker.ask("work.books.make_keys", file=str(keys))
    return environment | {"VAULT_KEYS_FILE": str(keys)}


def described(plan: Plan, there: server.Server) -> report.Run:
    words = [pgbench.fill_arguments(plan.scale), *(pgbench.arguments(k, plan.lap_seconds) for k in CLIENTS)]
    return report.Run(
        plan=plan,
        command=" ".join(["./script/bench", *sys.argv[1:]]),
        pgbench=tuple(" ".join(["pgbench", *arguments]) for arguments in words),
        machine=machine.described(),
        commit=machine.commit(),
        settings=there.settings,
    )


def tell(what: str) -> None:
    print(f"Measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
