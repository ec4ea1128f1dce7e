"""A statement and its parameters on their way to PostgreSQL and back, as bytes.

Within a transaction the driver sends it. Outside of one, where the statement is the whole transaction, it goes to the
server as one that was prepared before: the driver's cursor costs as much as all else that Python does for a posting.
That way is not open within a transaction, because the driver drops all prepared statements of a connection after a
rollback, and a name that is not known any more would break the transaction.
"""

from collections.abc import Sequence
from itertools import count
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
_GOOD: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
_UNKNOWN_NAME: Final = b"26000"
_NAMES_MAX: Final = 100

_numbers = count()
_names: "WeakKeyDictionary[Connection, dict[bytes, bytes]]" = WeakKeyDictionary()


def run(statement: bytes, values: Sequence[Value]) -> list[Row]:
    """The rows that ``statement`` returns, as the server writes them. Bytes are sent as they are, text as text."""
    connection = raw()
    # Of a transaction that Django has begun the server may not know yet: the driver tells it with the first statement.
    if connection.autocommit and connection.pgconn.transaction_status == _IDLE:
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
        if result.error_field(pq.DiagnosticField.SQLSTATE) != _UNKNOWN_NAME:
            raise _error(connection, result)
        del names[statement]
    elif len(names) == _NAMES_MAX:
        return _run_by_driver(connection, statement, values)
    name = f"ledger_{next(_numbers)}".encode()  # never one again: of those before, some may still be there
    _checked(connection, pgconn.prepare(name, statement))
    names[statement] = name
    return _checked(connection, pgconn.exec_prepared(name, sent, formats))


def _run_by_driver(connection: Connection, statement: bytes, values: Sequence[Value]) -> Result:
    result = psycopg.RawCursor(connection).execute(statement, values).pgresult
    if result is None:
        raise AssertionError("a statement that was executed has a result")
    return result


def _checked(connection: Connection, result: Result) -> Result:
    if result.status not in _GOOD:
        raise _error(connection, result)
    return result


def _error(connection: Connection, result: Result) -> psycopg.Error:
    if connection.closed and not result.error_field(pq.DiagnosticField.SQLSTATE):
        return psycopg.OperationalError(result.get_error_message())
    return errors.error_from_result(result)
