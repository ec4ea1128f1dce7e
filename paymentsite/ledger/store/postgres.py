"""The ledger on PostgreSQL: row locks in id order, rows as arrays, and values as text so that each statement has one
shape on the server and is planned once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.transaction import TransactionManagementError

from paymentsite.ledger.book import BalanceState, PostingRow
from paymentsite.ledger.store.arrays import Rows, array, document, key, moment_quoted, number, numbers, quoted
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
        return [BalanceState(*row) for row in self._cursor().execute(sql, (numbers(account_ids),))]

    def lock_journals(self, ids: Sequence[UUID]) -> None:
        cursor = self._cursor()
        cursor.execute(
            "SELECT id FROM ledger_journal WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            (array([key.hex for key in ids]),),
        )
        # Locking a row makes no new version of it, so a view from before would not see who reversed meanwhile.
        [level] = cursor.execute("SHOW transaction_isolation").fetchone() or ("unknown",)
        if level != "read committed":
            raise TransactionManagementError(f"a reversal cannot be decided in a transaction that is {level}")

    def write_leaves(self, height: int, leaves: Iterable[tuple[UUID, bytes]]) -> None:
        rows = list(leaves)
        keys, digests = array([pk.hex for pk, _ in rows]), array([f'"\\\\x{leaf.hex()}"' for _, leaf in rows])
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
        keys = [j.id.hex for j in journals]
        rows = Rows("ledger_journal")
        rows.each("id", "uuid", keys)
        rows.often_one("kind", "text", [j.kind for j in journals], quoted)
        rows.often_one("scope", "text", [j.scope for j in journals], quoted)
        rows.each("reference", "text", [quoted(j.reference) for j in journals])
        rows.each("request_hash", "bytea", [f'"\\\\x{j.request_hash.hex()}"' for j in journals])
        rows.each("digest", "bytea", [f'"\\\\x{w.digest.hex()}"' for w in written])
        rows.often_one("occurred_at", "timestamptz", [j.occurred_at for j in journals], moment_quoted)
        rows.often_one("recorded_at", "timestamptz", [j.recorded_at for j in journals], moment_quoted)
        rows.often_one("actor", "text", [j.actor for j in journals], quoted)
        rows.often_one("parent_id", "uuid", [j.parent_id for j in journals], key)
        rows.often_one("source", "text", [j.source for j in journals], quoted)
        rows.often_one("details", "jsonb", [document(j.details) for j in journals], quoted)
        rows.often_one("refusal", "jsonb", [document(j.refusal) for j in journals], quoted)
        self.cursor.execute(*rows.insert())
        self._put_postings([(w.journal.id.hex, p) for w in written if w.effects for p in w.effects.postings])
        self.cursor.execute(_UNSEALED, (array(keys),))

    def _put_postings(self, given: Sequence[tuple[str, PostingRow]]) -> None:
        if not given:
            return
        postings = [p for _, p in given]
        rows = Rows("ledger_posting")
        rows.each("journal_id", "uuid", [key for key, _ in given])
        rows.often_one("position", "smallint", [p.position for p in postings], str)
        rows.often_one("unit", "text", [p.unit for p in postings], str)
        rows.often_one("source_id", "bigint", [p.source_id for p in postings], str)
        rows.often_one("target_id", "bigint", [p.target_id for p in postings], str)
        rows.often_one("amount_minor", "bigint", [p.amount for p in postings], str)
        rows.often_one("source_seq", "bigint", [p.source_seq for p in postings], number)
        rows.often_one("source_balance_minor", "bigint", [p.source_balance for p in postings], number)
        rows.often_one("target_seq", "bigint", [p.target_seq for p in postings], number)
        rows.often_one("target_balance_minor", "bigint", [p.target_balance for p in postings], number)
        rows.often_one("reverses_id", "bigint", [p.reverses_id for p in postings], number)
        self.cursor.execute(*rows.insert())

    def settle(self, balances: Sequence[BalanceState]) -> None:
        if balances:
            self.cursor.execute(
                _UPDATE,
                (
                    numbers([b.account_id for b in balances]),
                    numbers([b.posted for b in balances]),
                    numbers([b.held for b in balances]),
                    numbers([b.seq for b in balances]),
                ),
            )
