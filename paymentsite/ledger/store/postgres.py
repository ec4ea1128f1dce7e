"""The ledger on PostgreSQL: row locks in id order, rows as arrays, and values as text so that each statement has one
shape on the server and is planned once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.transaction import TransactionManagementError

from paymentsite.ledger.book import BalanceState, PostingRow
from paymentsite.ledger.canon import text
from paymentsite.ledger.store.base import Key, Pen, Store, Stored, Written

_FIND = """
SELECT j.scope, j.reference, j.id, j.request_hash, j.recorded_at, j.refusal
FROM unnest(%s::text[], %s::text[]) AS k(scope, reference)
JOIN ledger_journal j ON j.scope = k.scope AND j.reference = k.reference
"""
_FIND_ONE = """
SELECT scope, reference, id, request_hash, recorded_at, refusal
FROM ledger_journal WHERE scope = %s::text AND reference = %s::text
"""
_BALANCES = """
SELECT account_id, posted_minor, held_minor, floor_minor, seq, status FROM ledger_balance
WHERE account_id = ANY(%s::bigint[]) ORDER BY account_id
"""
_JOURNALS = """
INSERT INTO ledger_journal (id, kind, scope, reference, request_hash, digest, occurred_at, recorded_at, actor,
    parent_id, source, details, refusal)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[],
    %s::timestamptz[], %s::timestamptz[], %s::text[], %s::uuid[], %s::text[], %s::jsonb[], %s::jsonb[])
"""
_POSTINGS = """
INSERT INTO ledger_posting (journal_id, position, unit, source_id, target_id, amount_minor, source_seq,
    source_balance_minor, target_seq, target_balance_minor, reverses_id)
SELECT * FROM unnest(%s::uuid[], %s::smallint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
"""
_UNSEALED = "INSERT INTO ledger_unsealed (journal_id) SELECT * FROM unnest(%s::uuid[])"
_UPDATE = """
UPDATE ledger_balance b SET posted_minor = d.posted, held_minor = d.held, seq = d.seq
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS d(id, posted, held, seq)
WHERE b.account_id = d.id
"""


def raw() -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's connection, alive: hot statements go to it without Django's cursor in between."""
    here = connections[DEFAULT_DB_ALIAS]  # asked once: each look at ``django.db.connection`` costs as much as a UUID
    if here.connection is None or not here.in_atomic_block:
        here.close_if_health_check_failed()
        here.ensure_connection()
    # As Django's own cursors do: what is answered in a transaction that will be rolled back would be a lie.
    here.validate_no_broken_transaction()
    return cast("psycopg.Connection[tuple[Any, ...]]", here.connection)


_LEAVES = """
INSERT INTO ledger_leaf (journal_id, block_id, position, digest)
SELECT l.id, %s::bigint, l.position - 1, l.digest
FROM unnest(%s::uuid[], %s::bytea[]) WITH ORDINALITY AS l(id, digest, position)
"""


class PostgresStore(Store):
    def _cursor(self) -> "psycopg.Cursor[tuple[Any, ...]]":
        return psycopg.Cursor(raw())

    def find(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        with self.connection.wrap_database_errors:
            cursor = self._cursor()
            if len(keys) == 1:
                rows = cursor.execute(_FIND_ONE, keys[0]).fetchall()
            else:
                rows = cursor.execute(_FIND, ([key[0] for key in keys], [key[1] for key in keys])).fetchall()
        # Django has the driver hand JSON over as text.
        return {
            (row[0], row[1]): Stored(row[2], row[3], row[4], None if row[5] is None else json.loads(row[5]))
            for row in rows
        }

    def lock(self, account_ids: Sequence[int], *, strict: bool) -> list[BalanceState]:
        sql = f"{_BALANCES} FOR UPDATE" if strict else _BALANCES
        return [BalanceState(*row) for row in self._cursor().execute(sql, (_numbers(account_ids),))]

    def lock_journals(self, ids: Sequence[UUID]) -> None:
        cursor = self._cursor()
        cursor.execute(
            "SELECT id FROM ledger_journal WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            (_array([key.hex for key in ids]),),
        )
        # Locking a row makes no new version of it, so a view from before would not see who reversed meanwhile.
        [level] = cursor.execute("SHOW transaction_isolation").fetchone() or ("unknown",)
        if level != "read committed":
            raise TransactionManagementError(f"a reversal cannot be decided in a transaction that is {level}")

    def write_leaves(self, height: int, leaves: Iterable[tuple[UUID, bytes]]) -> None:
        rows = list(leaves)
        keys, digests = _array([pk.hex for pk, _ in rows]), _array([f'"\\\\x{leaf.hex()}"' for _, leaf in rows])
        with self.connection.wrap_database_errors:
            self._cursor().execute(_LEAVES, (str(height), keys, digests))

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """Sent without waiting for answers: the server writes one part while the next is being decided."""
        connection = raw()
        with connection.pipeline(), psycopg.Cursor(connection) as cursor:
            yield PostgresPen(cursor)


class PostgresPen(Pen):
    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> None:
        self.cursor = cursor

    def put(self, written: Sequence[Written]) -> None:
        journals = [w.journal for w in written]
        ids = _array([j.id.hex for j in journals])
        self.cursor.execute(
            _JOURNALS,
            (
                ids,
                _texts([j.kind for j in journals]),
                _texts([j.scope for j in journals]),
                _texts([j.reference for j in journals]),
                _array([f'"\\\\x{j.request_hash.hex()}"' for j in journals]),
                _array([f'"\\\\x{w.digest.hex()}"' for w in written]),
                _array([f'"{j.occurred_at}"' for j in journals]),
                _array([f'"{j.recorded_at}"' for j in journals]),
                _texts([j.actor for j in journals]),
                _array(["NULL" if j.parent_id is None else j.parent_id.hex for j in journals]),
                _texts([j.source for j in journals]),
                _texts([None if j.details is None else text(j.details) for j in journals]),
                _texts([None if j.refusal is None else text(j.refusal) for j in journals]),
            ),
        )
        self._put_postings([(w.journal.id.hex, p) for w in written if w.effects for p in w.effects.postings])
        self.cursor.execute(_UNSEALED, (ids,))

    def _put_postings(self, rows: Sequence[tuple[str, PostingRow]]) -> None:
        if not rows:
            return
        self.cursor.execute(
            _POSTINGS,
            (
                _array([key for key, _ in rows]),
                _numbers([p.position for _, p in rows]),
                _array([p.unit for _, p in rows]),
                _numbers([p.source_id for _, p in rows]),
                _numbers([p.target_id for _, p in rows]),
                _numbers([p.amount for _, p in rows]),
                _numbers([p.source_seq for _, p in rows]),
                _numbers([p.source_balance for _, p in rows]),
                _numbers([p.target_seq for _, p in rows]),
                _numbers([p.target_balance for _, p in rows]),
                _numbers([p.reverses_id for _, p in rows]),
            ),
        )

    def settle(self, balances: Sequence[BalanceState]) -> None:
        if balances:
            self.cursor.execute(
                _UPDATE,
                (
                    _numbers([b.account_id for b in balances]),
                    _numbers([b.posted for b in balances]),
                    _numbers([b.held for b in balances]),
                    _numbers([b.seq for b in balances]),
                ),
            )


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ")


def _array(items: Sequence[str]) -> str:
    """An array of items that need no quotes, or have them."""
    return f"{{{','.join(items)}}}"


def _numbers(values: Sequence[int | None]) -> str:
    return _array(["NULL" if value is None else str(value) for value in values])


def _texts(values: Sequence[str | None]) -> str:
    return _array([_quoted(value) for value in values])


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
