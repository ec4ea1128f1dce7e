"""Tables that were made once: each process of a run copies them instead of walking through all migrations again.

They are kept in build/ (SQLite) or beside the test databases (PostgreSQL) under a name that says of what code they were
made. ``migrate`` still runs on every copy: it finds nothing to do, and sets up permissions and triggers as ever.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CODE = ("paymentsite", "members", "wallets", "cards", "settlement")
# Where Django keeps the database of a process whose database is memory.
IN_MEMORY = "file:memorydb_default?mode=memory&cache=shared"
# An advisory lock of PostgreSQL, held by whoever makes the tables: "made".
LOCK = 0x6D616465


@contextmanager
def copied() -> Iterator[None]:
    """The test database that Django makes next begins as a copy."""
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = _made_on_postgresql()
        yield
        return
    # What is in memory is there for as long as somebody has it open.
    with closing(sqlite3.connect(IN_MEMORY, uri=True)) as memory:
        with closing(sqlite3.connect(_made_on_sqlite())) as made:
            made.backup(memory)
        yield


def on_sqlite(path: Path) -> None:
    """A site's database of its own, with all tables, is at ``path``."""
    shutil.copyfile(_made_on_sqlite(), path)


def _made_on_sqlite() -> Path:
    BUILD.mkdir(exist_ok=True)
    path = BUILD / f"tables-{_digest()}.sqlite3"
    with (BUILD / "tables.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in BUILD.glob("tables-*.sqlite3*"):
                old.unlink()
            fresh = path.with_suffix(".fresh")
            fresh.unlink(missing_ok=True)
            _migrate(f"sqlite:///{fresh}")
            with closing(sqlite3.connect(fresh)) as made:
                # One file alone can be copied.
                made.execute("PRAGMA journal_mode=DELETE")
            fresh.rename(path)
    return path


def _made_on_postgresql() -> str:
    name, url = f"tables_{_digest()}", urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as there:
        there.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if not there.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            there.execute(f"CREATE DATABASE {name}_fresh")
            _migrate(url._replace(path=f"/{name}_fresh").geturl())
            there.execute(f"ALTER DATABASE {name}_fresh RENAME TO {name}")
    return name


def _migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "SANDBOX": "1"}
    environment.pop("COVERAGE_PROCESS_CONFIG", None)
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)


@lru_cache(maxsize=1)
def _digest() -> str:
    """Of all migrations, our own and those of what is installed."""
    made = sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(path for app in CODE for path in (ROOT / app).glob("**/migrations/*.py")):
        made.update(path.read_bytes())
    return made.hexdigest()[:16]
