"""The ledger on PostgreSQL: row locks in id order, COPY for many rows, and values as text so that each statement has
one shape on the server and is planned once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import psycopg
from django.db import connection

from paymentsite.ledger.book import BalanceState
from paymentsite.ledger.canon import text
from paymentsite.ledger.store.base import Key, Store, Stored, Written

_COPY_FROM_ROWS: Final = 20  # below this a COPY costs more than it saves

_FIND = """
SELECT j.scope, j.reference, j.id, j.outcome, j.request_hash, j.recorded_at, j.refusal
FROM unnest(%s::text[], %s::text[]) AS k(scope, reference)
JOIN ledger_journal j ON j.scope = k.scope AND j.reference = k.reference
"""
_FIND_ONE = """
SELECT scope, reference, id, outcome, request_hash, recorded_at, refusal
FROM ledger_journal WHERE scope = %s::text AND reference = %s::text
"""
_BALANCES = """
SELECT account_id, posted_minor, held_minor, floor_minor, seq, status FROM ledger_balance
WHERE account_id = ANY(%s::bigint[]) ORDER BY account_id
"""
_UPDATE = """
UPDATE ledger_balance b SET posted_minor = d.posted, held_minor = d.held, seq = d.seq
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS d(id, posted, held, seq)
WHERE b.account_id = d.id
"""
_JOURNAL_COLUMNS = (
    "id, kind, outcome, scope, reference, request_hash, digest, occurred_at, recorded_at, actor, parent_id, source,"
    " details, refusal"
)
_JOURNAL_TYPES = [
    "uuid",
    "text",
    "text",
    "text",
    "text",
    "bytea",
    "bytea",
    "timestamptz",
    "timestamptz",
    "text",
    "uuid",
    "text",
    "jsonb",
    "jsonb",
]
_POSTING_COLUMNS = (
    "journal_id, position, unit, source_id, target_id, amount_minor, source_seq, source_balance_minor, target_seq,"
    " target_balance_minor, reverses_id"
)
_POSTING_TYPES = [
    "uuid",
    "smallint",
    "text",
    "bigint",
    "bigint",
    "bigint",
    "bigint",
    "bigint",
    "bigint",
    "bigint",
    "bigint",
]


def array(values: Iterable[object]) -> str:
    """Numbers or UUIDs as the text of an array."""
    return "{" + ",".join(map(str, values)) + "}"


def raw() -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's connection, alive: hot statements go to it without Django's cursor in between."""
    if connection.connection is None or not connection.in_atomic_block:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
    return cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)


class PostgresStore(Store):
    vendor: ClassVar[str] = "postgresql"

    def _cursor(self) -> "psycopg.Cursor[tuple[Any, ...]]":
        return psycopg.Cursor(raw())

    def find(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        cursor = self._cursor()
        if len(keys) == 1:
            rows = cursor.execute(_FIND_ONE, keys[0]).fetchall()
        else:
            rows = cursor.execute(_FIND, ([key[0] for key in keys], [key[1] for key in keys])).fetchall()
        # Django has the driver hand JSON over as text.
        return {
            (row[0], row[1]): Stored(row[2], row[3], row[4], row[5], None if row[6] is None else json.loads(row[6]))
            for row in rows
        }

    def lock(self, account_ids: Sequence[int], *, strict: bool) -> list[BalanceState]:
        sql = f"{_BALANCES} FOR UPDATE" if strict else _BALANCES
        return [BalanceState(*row) for row in self._cursor().execute(sql, (array(account_ids),))]

    def lock_journals(self, ids: Sequence[UUID]) -> None:
        self._cursor().execute(
            "SELECT id FROM ledger_journal WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            (array(ids),),
        )

    def write(self, written: Sequence[Written], balances: Iterable[BalanceState]) -> None:
        if len(written) < _COPY_FROM_ROWS:
            self._insert(written, balances)
            return
        cursor = self._cursor()
        _copy(cursor, f"ledger_journal ({_JOURNAL_COLUMNS})", (_journal_line(w) for w in written))
        _copy(
            cursor,
            f"ledger_posting ({_POSTING_COLUMNS})",
            (line for w in written for line in _posting_lines(w)),
        )
        _copy(cursor, "ledger_unsealed (journal_id)", (f"{w.journal.id.hex}\n" for w in written))
        _update(cursor, balances)

    def _insert(self, written: Sequence[Written], balances: Iterable[BalanceState]) -> None:
        """A few rows: all statements sent at once, their answers read at once."""
        connection_ = raw()
        with connection_.pipeline(), psycopg.Cursor(connection_) as cursor:
            for w in written:
                cursor.execute(_insert_sql("ledger_journal", _JOURNAL_COLUMNS, _JOURNAL_TYPES), _journal_values(w))
                for values in _posting_values(w):
                    cursor.execute(_insert_sql("ledger_posting", _POSTING_COLUMNS, _POSTING_TYPES), values)
                cursor.execute("INSERT INTO ledger_unsealed (journal_id) VALUES (%s::uuid)", (w.journal.id.hex,))
            _update(cursor, balances)


def _update(cursor: "psycopg.Cursor[tuple[Any, ...]]", balances: Iterable[BalanceState]) -> None:
    states = list(balances)
    if states:
        columns = ([s.account_id for s in states], [s.posted for s in states], [s.held for s in states])
        cursor.execute(_UPDATE, [array(column) for column in (*columns, [s.seq for s in states])])


def _insert_sql(table: str, columns: str, types: Sequence[str]) -> str:
    marks = ", ".join(f"%s::{kind}" for kind in types)
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"


def _copy(cursor: "psycopg.Cursor[tuple[Any, ...]]", into: str, lines: Iterator[str]) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write("".join(lines))


def _or_null(value: object) -> str | None:
    return None if value is None else str(value)


def moment(at: datetime) -> str:
    return at.isoformat(" ")


def _journal_values(w: Written) -> tuple[Any, ...]:
    j = w.journal
    return (
        j.id.hex,
        j.kind,
        j.outcome,
        j.scope,
        j.reference,
        j.request_hash,
        w.digest,
        moment(j.occurred_at),
        moment(j.recorded_at),
        j.actor,
        None if j.parent_id is None else j.parent_id.hex,
        j.source,
        text(j.details) or None,
        text(j.refusal) or None,
    )


def _posting_values(w: Written) -> Iterator[tuple[str | None, ...]]:
    if w.effects is None:
        return
    for p in w.effects.postings:
        yield (
            w.journal.id.hex,
            str(p.position),
            p.unit,
            str(p.source_id),
            str(p.target_id),
            str(p.amount),
            _or_null(p.source_seq),
            _or_null(p.source_balance),
            _or_null(p.target_seq),
            _or_null(p.target_balance),
            _or_null(p.reverses_id),
        )


def _plain(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


def _journal_line(w: Written) -> str:
    """A journal as a line of COPY. Its texts are printable and its JSON escapes, so only backslashes need care."""
    j = w.journal
    parent = "\\N" if j.parent_id is None else j.parent_id.hex
    details = "\\N" if j.details is None else _plain(text(j.details))
    refusal = "\\N" if j.refusal is None else _plain(text(j.refusal))
    return (
        f"{j.id.hex}\t{_plain(j.kind)}\t{j.outcome}\t{_plain(j.scope)}\t{_plain(j.reference)}"
        f"\t\\\\x{j.request_hash.hex()}\t\\\\x{w.digest.hex()}\t{j.occurred_at}\t{j.recorded_at}"
        f"\t{_plain(j.actor)}\t{parent}\t{_plain(j.source)}\t{details}\t{refusal}\n"
    )


def _posting_lines(w: Written) -> Iterator[str]:
    if w.effects is None:
        return
    key = w.journal.id.hex
    for p in w.effects.postings:
        source = "\\N\t\\N" if p.source_seq is None else f"{p.source_seq}\t{p.source_balance}"
        target = "\\N\t\\N" if p.target_seq is None else f"{p.target_seq}\t{p.target_balance}"
        reverses = "\\N" if p.reverses_id is None else p.reverses_id
        ends = f"{p.source_id}\t{p.target_id}\t{p.amount}\t{source}\t{target}"
        yield f"{key}\t{p.position}\t{p.unit}\t{ends}\t{reverses}\n"
