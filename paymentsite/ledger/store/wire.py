"""A statement and its parameters on their way to PostgreSQL and back, as bytes.

Within a transaction the driver sends it. Outside of one, where the statement is the whole transaction, it goes to the
server as one that was prepared before: the driver's cursor costs as much as all else that Python does for a posting.
That way is not open within a transaction, because the driver drops all prepared statements of a connection after a
rollback, and a name that is not known any more would break the transaction.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, pq

from paymentsite.ledger.store.postgres import raw

Value = str | bytes | None
Row = list[bytes | None]
Connection = psycopg.Connection[Any]
Result = pq.abc.PGresult

_IDLE: Final = pq.TransactionStatus.IDLE
_NO_PIPELINE: Final = pq.PipelineStatus.OFF
_GOOD: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
# The name is not known (any more), or what it returns has changed with a table since.
_PLANNED_NO_MORE: Final = frozenset({b"26000", b"0A000"})
_PREPARED_BEFORE: Final = b"42P05"
_NAMES_MAX: Final = 100

_names: "WeakKeyDictionary[Connection, dict[bytes, bytes]]" = WeakKeyDictionary()


def run(statement: bytes, values: Sequence[Value]) -> list[Row]:
    """The rows that ``statement`` returns, as the server writes them. Bytes are sent as they are, text as text."""
    connection = raw()
    # Of a transaction that Django has begun the server may not know yet: the driver tells it with the first statement.
    if connection.autocommit and connection.pgconn.transaction_status == _IDLE and _may_prepare(connection):
        result = _run_prepared(connection, statement, values)
    else:
        result = _run_by_driver(connection, statement, values)
    value, columns = result.get_value, range(result.nfields)
    return [[value(row, column) for column in columns] for row in range(result.ntuples)]


def _run_prepared(connection: Connection, statement: bytes, values: Sequence[Value]) -> Result:
    names = _names.get(connection)
    if names is None:
        names = _names[connection] = {}
    sent: list[Any] = [value.encode() if isinstance(value, str) else value for value in values]
    formats = [1 if isinstance(value, bytes) else 0 for value in values]
    pgconn = connection.pgconn
    if name := names.get(statement):
        result = pgconn.exec_prepared(name, sent, formats)
        if result.status in _GOOD:
            return result
        if _state(result) not in _PLANNED_NO_MORE:
            raise _error(connection, result)
        # Nothing was done. The driver plans it for this once, and the next time it is prepared anew.
        del names[statement]
        return _run_by_driver(connection, statement, values)
    if len(names) == _NAMES_MAX:
        return _run_by_driver(connection, statement, values)
    # Named by its text: behind a pooler the same name, left by another process, means the same statement.
    name = b"ledger_" + sha256(statement).hexdigest()[:32].encode()
    prepared = pgconn.prepare(name, statement)
    if prepared.status not in _GOOD and _state(prepared) != _PREPARED_BEFORE:
        raise _error(connection, prepared)
    result = pgconn.exec_prepared(name, sent, formats)
    if result.status in _GOOD:
        names[statement] = name
        return result
    if _state(result) in _PLANNED_NO_MORE:
        pgconn.exec_(b"DEALLOCATE " + name)
        return _run_by_driver(connection, statement, values)
    raise _error(connection, result)


def _may_prepare(connection: Connection) -> bool:
    """Not behind a pooler that is said not to keep prepared statements, and not amid a pipeline."""
    return connection.prepare_threshold is not None and connection.pgconn.pipeline_status == _NO_PIPELINE


def _state(result: Result) -> bytes | None:
    return result.error_field(pq.DiagnosticField.SQLSTATE)


def _run_by_driver(connection: Connection, statement: bytes, values: Sequence[Value]) -> Result:
    cursor = psycopg.RawCursor(connection).execute(statement, values)
    if cursor.pgresult is None:
        cursor.fetchall()  # amid a pipeline it is this that waits for the answer
    if cursor.pgresult is None:
        raise AssertionError("a statement that was executed has a result")
    return cursor.pgresult


def _error(connection: Connection, result: Result) -> psycopg.Error:
    if connection.closed and not _state(result):
        return psycopg.OperationalError(result.get_error_message())
    return errors.error_from_result(result)
