"""What PostgreSQL says beside its answers: that a commit stands on this server and perhaps on no other.

Where a standby must confirm each commit, cancelling the wait (a time-out, an operator, a fail-over) does not undo the
commit: the server answers as if all were well and adds a warning, which the driver drops unless somebody listens.
"""

from functools import partial
from typing import Any, Final
from weakref import ReferenceType, WeakSet, ref

import psycopg
from django.db import connection as ours
from django.db.backends.base.base import BaseDatabaseWrapper

# Where in the server's source the warning comes from: its words are translated, this is not.
_WAITING_FOR_STANDBY: Final = "SyncRepWaitForLSN"

_in_doubt: "WeakSet[psycopg.Connection[Any]]" = WeakSet()


def listen(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Hear what the server says on a new connection; a receiver of ``connection_created``."""
    if connection.vendor == "postgresql":
        raw: psycopg.Connection[Any] = connection.connection
        raw.add_notice_handler(partial(_hear, ref(raw)))


def commit_in_doubt() -> bool:
    """Whether, since this was last asked, a commit of ours was not confirmed by the standby that should have.

    Within a transaction the answer is no, and a doubt about an earlier one is kept.
    """
    if not _in_doubt or ours.in_atomic_block or ours.connection not in _in_doubt:
        return False
    _in_doubt.discard(ours.connection)
    return True


def _hear(raw: "ReferenceType[psycopg.Connection[Any]]", notice: psycopg.errors.Diagnostic) -> None:
    here = raw()
    if here is not None and notice.source_function == _WAITING_FOR_STANDBY:
        _in_doubt.add(here)
