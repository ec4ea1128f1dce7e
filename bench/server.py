"""The PostgreSQL under measurement: one of our own or the one of ``DATABASE_URL``, with two databases for the run."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.servers import postgres

# What a machine of a few gigabytes would be given; pgbench and we share it.
_SETTINGS: Final = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
_TOLD: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the site's database and pgbench's are, on one server, and how it is set."""

    site: str
    pgbench: str
    settings: dict[str, str]


@contextmanager
def running() -> Iterator[Server]:
    """The server with two fresh databases, which are gone afterwards."""
    with ExitStack() as stack:
        given = os.environ.get("DATABASE_URL", "")
        if given and urlsplit(given).scheme not in {"postgres", "postgresql"}:
            sys.exit("DATABASE_URL names no PostgreSQL; unset it, and one is started.")
        url = given or stack.enter_context(postgres(database="postgres", **_SETTINGS))
        names = [f"paymentsite_bench_{os.getpid()}", f"paymentsite_pgbench_{os.getpid()}"]
        with psycopg.connect(_beside(url, "postgres"), autocommit=True) as connection:
            shown = [connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone() for name in _TOLD]
            for name in names:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                stack.callback(_drop, url, name)
        site, pgbench = (_beside(url, name) for name in names)
        yield Server(site, pgbench, {name: row[0] for name, row in zip(_TOLD, shown, strict=True) if row})


def _drop(url: str, name: str) -> None:
    with psycopg.connect(_beside(url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _beside(url: str, name: str) -> str:
    """The same server's database ``name``."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
