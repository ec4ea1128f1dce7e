"""The way of most acts on PostgreSQL: one statement, which is also the whole transaction when none is open.

It carries moves between accounts without lots, and new holds on them. It locks the strict accounts in id order,
looks whether all of them bear the act, and only then writes; when they do not, it writes nothing and returns what it
saw, so that the rules that refuse are those of ``paymentsite.ledger.rules`` and no transaction is broken by a refusal.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final
from uuid import UUID

import psycopg

from paymentsite.ledger.book import BALANCE_MAX, BalanceState, Effects, PostingRow
from paymentsite.ledger.canon import HoldFacts, JournalFacts, text
from paymentsite.ledger.entries import Draft, Move, Place
from paymentsite.ledger.models import Account
from paymentsite.ledger.store.postgres import moment, raw

_ENTRIES_MAX: Final = 8


@dataclass(slots=True)
class _Side:
    """What an act does to one strict account: the totals, and how far along it is while legs are counted."""

    account_id: int
    posted: int = 0
    held: int = 0
    posts: int = 0
    debit: bool = False


@dataclass(slots=True)
class Swift:
    """An act laid out for the statement."""

    effects: Effects
    strict: list[_Side]
    hot: dict[int, bool]
    back: list[tuple[int, int, int, int]]
    units: list[str]


@dataclass(frozen=True, slots=True)
class Saw:
    """What the statement found: whether it wrote the journal, and the balances as they were before."""

    written: bool
    fits: bool
    balances: list[BalanceState]


def lay_out(draft: Draft, new_id: Callable[[], UUID]) -> Swift | None:
    """The act for the one statement, or None when it needs more than that."""
    if len(draft.entries) > _ENTRIES_MAX:
        return None
    sides: dict[int, _Side] = {}
    hot: dict[int, bool] = {}
    effects = Effects()
    units = []
    for position, entry in enumerate(draft.entries, 1):
        match entry:
            case Move(amount, source, target, None) if not source.lots:
                _touch(sides, hot, source, debit=True, posted=-amount.minor, posts=1)
                _touch(sides, hot, target, debit=False, posted=amount.minor, posts=1)
                row = PostingRow(position, amount.unit, source.id, target.id, amount.minor, *(None,) * 5)
                effects.postings.append(row)
            case Place(amount, account, expires_at) if not account.lots:
                _touch(sides, hot, account, debit=True, held=amount.minor)
                hold_id = new_id()
                effects.placed.append(hold_id)
                effects.holds.append(HoldFacts(position, "placed", hold_id, account.id, amount.minor, expires_at))
                units.append(amount.unit)
            case _:
                return None
    strict = [sides[key] for key in sorted(sides)]
    return Swift(effects, strict, hot, _run_back(effects, sides), units)


def _touch(
    sides: dict[int, _Side],
    hot: dict[int, bool],
    account: Account,
    *,
    debit: bool,
    posted: int = 0,
    held: int = 0,
    posts: int = 0,
) -> None:
    if not account.strict:
        hot[account.id] = hot.get(account.id, False) or debit
        return
    side = sides.setdefault(account.id, _Side(account.id))
    side.posted += posted
    side.held += held
    side.posts += posts
    side.debit = side.debit or debit


def _run_back(effects: Effects, sides: dict[int, _Side]) -> list[tuple[int, int, int, int]]:
    """How far each posting's running balances and numbers lie before those that the whole act leaves."""
    done: dict[int, list[int]] = {key: [side.posted, side.posts] for key, side in sides.items()}
    back = []
    for p in effects.postings:
        parts = []
        for account_id, change in ((p.source_id, -p.amount), (p.target_id, p.amount)):
            left = done.get(account_id, [0, 0])
            left[0] -= change
            left[1] -= 1
            parts += left
        back.append((parts[0], parts[1], parts[2], parts[3]))
    return back


def run(swift: Swift, journal: JournalFacts, digest: bytes) -> Saw:
    """Send the statement."""
    sql = _statement(len(swift.strict), len(swift.hot), len(swift.effects.postings), len(swift.effects.holds))
    values: list[str | bytes | None] = []
    for side in swift.strict:
        values += (
            str(side.account_id),
            str(side.posted),
            str(side.held),
            str(side.posts),
            "t" if side.debit else "f",
        )
    for account_id, debit in swift.hot.items():
        values += (str(account_id), "t" if debit else "f")
    values += (
        journal.id.hex,
        journal.kind,
        journal.scope,
        journal.reference,
        journal.request_hash,
        digest,
        moment(journal.occurred_at),
        moment(journal.recorded_at),
        journal.actor,
        None if journal.parent_id is None else journal.parent_id.hex,
        journal.source,
        text(journal.details) or None,
    )
    for p, back in zip(swift.effects.postings, swift.back, strict=True):
        values += (
            str(p.position),
            p.unit,
            str(p.source_id),
            str(p.target_id),
            str(p.amount),
            *map(str, back),
        )
    for h, unit in zip(swift.effects.holds, swift.units, strict=True):
        until = None if h.expires_at is None else moment(h.expires_at)
        values += (str(h.position), h.hold_id.hex, str(h.account_id), unit, str(h.amount_minor), until)

    rows = psycopg.RawCursor(raw()).execute(sql, values).fetchall()
    return Saw(rows[0][0], rows[0][1], [BalanceState(*row[2:]) for row in rows])


def completed(swift: Swift, saw: Saw) -> dict[int, int]:
    """What the act left on each strict account that its postings touched."""
    changes = {side.account_id: side.posted for side in swift.strict if side.posts}
    return {b.account_id: b.posted + changes[b.account_id] for b in saw.balances if b.account_id in changes}


def _rows(count: int, shape: str) -> str:
    return ", ".join([shape] * count)


@lru_cache(maxsize=256)
def _statement(strict: int, hot: int, postings: int, holds: int) -> bytes:
    """The statement for an act of that shape, as the driver sends it: numbered parameters, nothing left to parse."""
    parts, seen, fits = [], [], []
    if strict:
        parts.append(
            _LOCKED.format(rows=_rows(strict, "(%s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::boolean)"))
        )
        seen.append("SELECT account_id, posted_minor, held_minor, floor_minor, seq, status FROM locked")
        fits.append(f"(SELECT count(*) = {strict} FROM locked WHERE bears)")
    if hot:
        parts.append(_HOT.format(rows=_rows(hot, "(%s::bigint, %s::boolean)")))
        seen.append("SELECT account_id, posted_minor, held_minor, floor_minor, seq, status FROM hot")
        fits.append(f"(SELECT count(*) = {hot} FROM hot WHERE bears)")
    parts.append(f"verdict AS (SELECT {' AND '.join(fits)} AS fits)")
    parts.append(_JOURNAL)
    if strict:
        parts.append(_UPDATED)
    if postings:
        shape = "(%s::smallint, %s, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint)"
        parts.append((_POSTED if strict else _POSTED_HOT).format(rows=_rows(postings, shape)))
    if holds:
        shape = "(%s::smallint, %s::uuid, %s::bigint, %s, %s::bigint, %s::timestamptz)"
        parts.append(_PLACED.format(rows=_rows(holds, shape)))
    parts.append("unsealed AS (INSERT INTO ledger_unsealed (journal_id) SELECT id FROM journal)")
    everything = " UNION ALL ".join(seen)
    statement = (
        f"WITH {', '.join(parts)} SELECT EXISTS (SELECT FROM journal), (SELECT fits FROM verdict), seen.*"
        f" FROM ({everything}) AS seen"
    )
    number = count(1)
    return re.sub("%s", lambda _: f"${next(number)}", statement).encode()


# A frozen or closed account bears nothing; one with nothing out may only receive. Keep in step with rules.py.
_BEARS: Final = "(b.status = 'open' OR (b.status = 'no_debit' AND NOT d.debit))"
_LOCKED: Final = f"""
locked AS MATERIALIZED (
  SELECT b.account_id, b.posted_minor, b.held_minor, b.floor_minor, b.seq, b.status, d.posted, d.held, d.posts,
    {_BEARS} AND b.posted_minor + d.posted BETWEEN -{BALANCE_MAX} AND {BALANCE_MAX}
    AND b.held_minor + d.held <= {BALANCE_MAX}
    AND (b.floor_minor IS NULL OR b.posted_minor + d.posted - b.held_minor - d.held >= b.floor_minor) AS bears
  FROM (VALUES {{rows}}) AS d(id, posted, held, posts, debit) JOIN ledger_balance b ON b.account_id = d.id
  ORDER BY b.account_id FOR UPDATE OF b)"""
_HOT: Final = f"""
hot AS MATERIALIZED (
  SELECT b.account_id, b.posted_minor, b.held_minor, b.floor_minor, b.seq, b.status, {_BEARS} AS bears
  FROM (VALUES {{rows}}) AS d(id, debit) JOIN ledger_balance b ON b.account_id = d.id)"""
_JOURNAL: Final = """
journal AS (
  INSERT INTO ledger_journal (id, kind, outcome, scope, reference, request_hash, digest, occurred_at, recorded_at,
    actor, parent_id, source, details)
  SELECT %s::uuid, %s, 'posted', %s, %s, %s::bytea, %s::bytea, %s::timestamptz, %s::timestamptz, %s, %s::uuid, %s,
    %s::jsonb
  FROM verdict WHERE fits
  ON CONFLICT (scope, reference) DO NOTHING RETURNING id, recorded_at)"""
_UPDATED: Final = """
updated AS (
  UPDATE ledger_balance b
  SET posted_minor = b.posted_minor + l.posted, held_minor = b.held_minor + l.held, seq = b.seq + l.posts
  FROM locked l WHERE b.account_id = l.account_id AND EXISTS (SELECT FROM journal)
  RETURNING b.account_id, b.posted_minor, b.seq)"""
_INTO_POSTING: Final = """
posted AS (
  INSERT INTO ledger_posting (journal_id, position, unit, source_id, target_id, amount_minor,
    source_seq, source_balance_minor, target_seq, target_balance_minor)
  SELECT journal.id, leg.position, leg.unit, leg.source_id, leg.target_id, leg.amount,"""
_LEGS: Final = """
  FROM journal CROSS JOIN (VALUES {rows})
    AS leg(position, unit, source_id, target_id, amount, source_back, source_seq_back, target_back, target_seq_back)"""
_POSTED: Final = f"""{_INTO_POSTING}
    s.seq - leg.source_seq_back, s.posted_minor - leg.source_back,
    t.seq - leg.target_seq_back, t.posted_minor - leg.target_back {_LEGS}
    LEFT JOIN updated s ON s.account_id = leg.source_id LEFT JOIN updated t ON t.account_id = leg.target_id)"""
_POSTED_HOT: Final = f"{_INTO_POSTING} NULL, NULL, NULL, NULL {_LEGS})"
_PLACED: Final = """
wish(position, id, account_id, unit, amount, expires_at) AS (VALUES {rows}),
placed AS (
  INSERT INTO ledger_hold (id, account_id, unit, authorised_minor, captured_minor, released_minor, state, placed_at,
    expires_at)
  SELECT h.id, h.account_id, h.unit, h.amount, 0, 0, 'open', journal.recorded_at, h.expires_at
  FROM journal CROSS JOIN wish h),
told AS (
  INSERT INTO ledger_holdevent (hold_id, journal_id, position, kind, amount_minor, expires_at)
  SELECT h.id, journal.id, h.position, 'placed', h.amount, h.expires_at
  FROM journal CROSS JOIN wish h)"""
