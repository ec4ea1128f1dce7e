"""The ledger on SQLite: one writer at a time (BEGIN IMMEDIATE), so reading inside the transaction is locking."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from paymentsite.ledger.book import BalanceState
from paymentsite.ledger.canon import text
from paymentsite.ledger.models import Journal
from paymentsite.ledger.store.base import Key, Pen, Store, Stored, Written, stored
from paymentsite.ledger.store.needs import Needs

_BALANCE_OF = """
SELECT account_id, posted_minor, held_minor, floor_minor, seq, status FROM ledger_balance WHERE account_id = ?
"""
_FIND = "SELECT id FROM ledger_journal WHERE scope = ? AND reference = ?"
_JOURNAL = """
INSERT INTO ledger_journal (id, kind, scope, reference, request_hash, digest, occurred_at, recorded_at,
    actor, parent_id, source, details, refusal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_POSTING = """
INSERT INTO ledger_posting (journal_id, position, unit, source_id, target_id, amount_minor,
    source_seq, source_balance_minor, target_seq, target_balance_minor, reverses_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_BALANCE = "UPDATE ledger_balance SET posted_minor = ?, held_minor = ?, seq = ? WHERE account_id = ?"
_LEAF = "INSERT INTO ledger_leaf (journal_id, block_id, position, digest) VALUES (?, ?, ?, ?)"
_UNSEALED = "INSERT INTO ledger_unsealed (journal_id) VALUES (?)"


class SqliteStore(Store):
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        connection.ensure_connection()
        # As Django's own cursors do: what is answered in a transaction that will be rolled back would be a lie.
        connection.validate_no_broken_transaction()
        self.raw: sqlite3.Connection = connection.connection

    @contextmanager
    def transaction(self, needs: Needs) -> Iterator[None]:
        """Acts on balances alone touch nothing of the ORM's: they begin and commit without its bookkeeping."""
        if self.connection.in_atomic_block or not needs.plain:
            with super().transaction(needs):
                yield
            return
        with self.connection.wrap_database_errors:
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.raw.commit()  # may refuse too, and then leaves the transaction open
            except BaseException:
                self.raw.rollback()
                raise

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.raw.execute(sql, parameters).fetchall()

    def find(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        with self.connection.wrap_database_errors:
            ids = [row[0] for key in keys for row in self._run(_FIND, key)]
        if not ids:
            return {}
        found: dict[Key, Stored] = {}
        for start in range(0, len(ids), 500):
            for journal in Journal.objects.filter(pk__in=[UUID(pk) for pk in ids[start : start + 500]]):
                found[journal.scope, journal.reference] = stored(journal)
        return found

    def lock(self, account_ids: Sequence[int], *, strict: bool) -> list[BalanceState]:  # noqa: ARG002  one writer
        return [BalanceState(*row) for pk in account_ids for row in self._run(_BALANCE_OF, (pk,))]

    def lock_journals(self, ids: Sequence[UUID]) -> None:
        """Nothing to do: this transaction is the only one that writes."""

    def write_leaves(self, height: int, leaves: Iterable[tuple[UUID, bytes]]) -> None:
        rows = [(pk.hex, height, position, leaf) for position, (pk, leaf) in enumerate(leaves)]
        with self.connection.wrap_database_errors:
            self.raw.executemany(_LEAF, rows)

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        yield SqlitePen(self.raw)


class SqlitePen(Pen):
    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def put(self, written: Sequence[Written]) -> None:
        many = self.raw.executemany
        many(_JOURNAL, [_journal_row(w) for w in written])
        many(_POSTING, [row for w in written for row in _posting_rows(w)])
        many(_UNSEALED, [(w.journal.id.hex,) for w in written])

    def settle(self, balances: Sequence[BalanceState]) -> None:
        rows = [(b.posted, b.held, b.seq, b.account_id) for b in balances]
        self.raw.executemany(_BALANCE, rows)


def _moment(at: datetime) -> str:
    """A time as Django writes it on SQLite: in UTC, without its zone."""
    return at.replace(tzinfo=None).isoformat(" ")


def _json(value: Any) -> str | None:
    return None if value is None else text(value)


def _journal_row(w: Written) -> tuple[Any, ...]:
    j = w.journal
    return (
        j.id.hex,
        j.kind,
        j.scope,
        j.reference,
        j.request_hash,
        w.digest,
        _moment(j.occurred_at),
        _moment(j.recorded_at),
        j.actor,
        None if j.parent_id is None else j.parent_id.hex,
        j.source,
        _json(j.details),
        _json(j.refusal),
    )


def _posting_rows(w: Written) -> list[tuple[Any, ...]]:
    if w.effects is None:
        return []
    key = w.journal.id.hex
    return [
        (
            key,
            p.position,
            p.unit,
            p.source_id,
            p.target_id,
            p.amount,
            p.source_seq,
            p.source_balance,
            p.target_seq,
            p.target_balance,
            p.reverses_id,
        )
        for p in w.effects.postings
    ]
