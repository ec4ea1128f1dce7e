"""The whole suite: checks, then the tests on SQLite, then on PostgreSQL; started by ./script/test."""

import argparse
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# A script's own folder is what Python puts first; the site's packages are in the one above.
sys.path[0] = str(ROOT)
from tests import measuring  # noqa: E402
from tests.servers import postgres  # noqa: E402

BUILD: Final = ROOT / "build"
BIN: Final = Path(sys.executable).parent
CODE: Final = ["paymentsite", "members", "wallets", "cards", "settlement"]
COVERED: Final = "paymentsite/core/*,paymentsite/ledger/*"
COVERAGE_MIN: Final = 95
NOTHING_COLLECTED: Final = 5
LAST_LINE: Final = re.compile(r"^(=+ )?(?P<counts>\d+ [a-z]+.*) in [\d.]+s\b")
# More than there are cores: some wait for servers, installations and locks, and on PostgreSQL for each answer.
PROCESSES: Final = {"sqlite": (os.cpu_count() or 1) + 1, "postgres": (os.cpu_count() or 1) + 3}
# Races of 32 may meet in as many processes as there are.
CONNECTIONS: Final = {"max_connections": "400"}
# What is to outlive a crash is tried on servers of its own; this one is gone when the run is.
FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
# One long test of them all may take so long before it counts as hanging; for others see pyproject.toml.
LONG_SECONDS_MAX: Final = 3_600
PARTS: Final = ("all", "checks", "sqlite", "postgres", "coverage", "long")


@dataclass
class Outcome:
    """What happened so far: how often each thing did, and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    stages: int = 0
    empty: int = 0


def main() -> None:
    part, arguments = asked()
    # Dozens of processes start: each would else compile the whole site anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    BUILD.mkdir(exist_ok=True)
    # Commands that only look at the database want its folder to be there.
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    began = time.monotonic()
    outcome = Outcome()
    if part == "checks" or (part == "all" and not arguments):
        check_all(outcome)
    if part != "checks":
        if complaint := run([sys.executable, "manage.py", "messages", "compile"]):
            sys.exit(complaint)
        test_all(part, arguments, outcome)
    finish(outcome, time.monotonic() - began)


def asked() -> tuple[str, list[str]]:
    """Which part, and what goes to pytest."""
    parser = argparse.ArgumentParser(
        prog="./script/test",
        usage=f"./script/test [{'|'.join(PARTS)}] [what goes to pytest …]",
        description="Checks, then tests on SQLite, then on PostgreSQL.",
        add_help=False,
    )
    parser.add_argument("part", nargs="?", choices=PARTS, help="all, when none is named")
    parser.add_argument("-h", "--help", action="help", help="this; all other arguments go to pytest")
    first = sys.argv[1:2] if sys.argv[1:2] and sys.argv[1] in {*PARTS, "-h", "--help"} else []
    return parser.parse_args(first).part or "all", sys.argv[1 + len(first) :]


def check_all(outcome: Outcome) -> None:
    """Every check has run and said its line; what a failing one printed follows it."""
    templates = [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]
    manage = [sys.executable, "manage.py"]
    # B608 is ruff's S608, which takes a reason line by line where our own SQL is put together.
    commands: dict[str, list[str]] = {
        "mypy": [str(BIN / "mypy")],
        # It leaves every test compiled, which each process of a run would else do for itself.
        "collection": [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-n", "0"],
        "ruff check": [str(BIN / "ruff"), "check", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
        "import-linter": [str(BIN / "lint-imports")],
        # The locks are installed without asking anything who needs what, so that is asked here.
        "pip check": [sys.executable, "-m", "pip", "check"],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "translations": [*manage, "messages", "check"],
        "docs/errors.md": [*manage, "errors", "--check"],
        "bandit": [str(BIN / "bandit"), "-q", "-ll", "-s", "B608", "-r", *CODE],
        "djade": [str(BIN / "djade"), "--target-version", "5.2", "--check", *templates],
    }
    jobs: dict[str, Callable[[], str]] = {name: partial(run, words) for name, words in commands.items()}
    jobs["check --deploy"] = check_deploy
    jobs["locks"] = stale_pins
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {name: pool.submit(timed, job) for name, job in jobs.items()}
        for name, future in running.items():
            complaint, seconds = future.result()
            print(f"{'FAIL' if complaint else 'ok  '} {name} ({seconds:.1f} s)", flush=True)
            outcome.counts["failed" if complaint else "passed"] += 1
            if complaint:
                print(complaint, flush=True)
                outcome.faults.append(name)


def timed(job: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    return job(), time.monotonic() - began


def run(words: list[str], environment: dict[str, str] | None = None) -> str:
    """What the command printed when it failed; nothing when it did not."""
    done = subprocess.run(
        words,
        env=environment or sandbox(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr or f"ended with {done.returncode}") if done.returncode else ""


def check_deploy() -> str:
    """The settings as production has them pass Django's deployment checks and ours, with none silenced."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        if complaint := run([sys.executable, "manage.py", "new_keys", "--file", str(keys)]):
            return complaint
        environment = {name: value for name, value in os.environ.items() if name not in {"SANDBOX", "DEBUG"}}
        environment |= {"SECRET_KEY": secrets.token_urlsafe(64), "ALLOWED_HOSTS": "pay.example.com"}
        environment |= {"VAULT_KEYS_FILE": str(keys), "STATIC_ROOT": f"{folder}/static"}
        environment |= {"TEXT_MESSAGES_URL": "https://texts.example.com", "TEXT_MESSAGES_SECRET": secrets.token_hex()}
        if complaint := run([sys.executable, "manage.py", "collectstatic", "--noinput"], environment):
            return complaint
        return run([sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], environment)


def stale_pins() -> str:
    """Direct choices that a lock does not hold: someone changed them and forgot ./script/lock."""
    stale = []
    for name in ("requirements", "requirements-dev"):
        pin = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
        chosen = pin.findall((ROOT / f"{name}.txt").read_text())
        locked = {(package.lower(), version) for package, version in pin.findall((ROOT / f"{name}.lock").read_text())}
        stale += [f"{name}.lock lacks {p}=={v}" for p, v in chosen if (p.lower(), v) not in locked]
    return "\n".join([*stale, "Run ./script/lock."] if stale else [])


def test_all(part: str, arguments: list[str], outcome: Outcome) -> None:
    """The tests of ``part`` have run, on each database that it means."""
    measured = part == "coverage" or (part == "all" and not arguments)
    databases = [part] if part in {"sqlite", "postgres"} else ["sqlite", "postgres"]
    if part == "long":
        arguments = ["-m", "long", "-o", f"faulthandler_timeout={LONG_SECONDS_MAX}", *arguments]
    for old in BUILD.glob("coverage.*"):
        old.unlink()
    for database in databases:
        print(f"\nOn {database}", flush=True)
        with ExitStack() as stack:
            environment = sandbox()
            environment["XDG_RUNTIME_DIR"] = stack.enter_context(tempfile.TemporaryDirectory())
            environment["COVERAGE_FILE"] = str(BUILD / f"coverage.{database}")
            given = environment.pop("DATABASE_URL", "")
            if len(databases) > 1 and not arguments:
                environment["RUN_ON_SQLITE_TOO"] = "1"
            if database == "postgres":
                environment["DATABASE_URL"] = given or stack.enter_context(postgres(**CONNECTIONS, **FORGETFUL))
            if part == "all" and not arguments:
                environment["MEASURE_SOME_OF"] = database
            pytest(database, words(part, arguments, database), environment, outcome)
    if measured:
        measure(outcome)


def words(part: str, arguments: list[str], database: str) -> list[str]:
    """What goes to pytest."""
    if part == "all" and not arguments:
        return ["--cov", "--cov-report=", "tests"]
    if part == "coverage":
        return ["--cov", "--cov-report=", *(arguments or map(str, measuring.files(database)))]
    return arguments


def pytest(database: str, arguments: list[str], environment: dict[str, str], outcome: Outcome) -> None:
    words = [sys.executable, "-m", "pytest", "-n", os.environ.get("TEST_PROCESSES", str(PROCESSES[database]))]
    words += ["--color=yes"] if sys.stdout.isatty() else []
    outcome.stages += 1
    process = subprocess.Popen(
        [*words, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            if found := LAST_LINE.match(re.sub(r"\x1b\[[\d;]*m", "", line.strip())):
                counts = re.findall(r"(\d+) (\w+)", found["counts"])
                outcome.counts.update({what: int(number) for number, what in counts})
        code = process.wait()
    finally:
        # Who is told to stop leaves nobody behind: without pytest its own processes end too.
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code == NOTHING_COLLECTED:
        outcome.empty += 1
    elif code:
        outcome.faults.append(f"tests on {database}")


def measure(outcome: Outcome) -> None:
    """What both databases covered together is enough."""
    environment = sandbox() | {"COVERAGE_FILE": str(BUILD / "coverage.both")}
    parts = [str(path) for path in BUILD.glob("coverage.*")]
    run([str(BIN / "coverage"), "combine", "--keep", *parts], environment)
    words = [str(BIN / "coverage"), "report", f"--include={COVERED}", f"--fail-under={COVERAGE_MIN}"]
    if subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        outcome.faults.append(f"branch coverage of core and ledger below {COVERAGE_MIN} %")


def sandbox() -> dict[str, str]:
    """The environment that checks and tests run in: with the keys of development, also where var/ has others."""
    return {**os.environ, "SANDBOX": "1", "VAULT_KEYS_FILE": ""}


def finish(outcome: Outcome, seconds: float) -> None:
    """Leave with what was wrong, and with a last line in pytest's form over everything that ran."""
    if outcome.stages and outcome.empty == outcome.stages:
        outcome.faults.append("no test was found")
    for fault in outcome.faults:
        print(f"Failed: {fault}")
    counts = ", ".join(f"{number} {what}" for what, number in outcome.counts.items()) or "no tests ran"
    print(f" {counts} in {seconds:.2f}s ".center(80, "="), flush=True)
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
