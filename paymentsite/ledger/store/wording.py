"""The text of the one statement that carries a simple act.

What an act is made of is the text, its amounts and names are the parameters: acts of one shape share one text, which
the server plans once. The parameters are the accounts, then the journal's columns, then those of each entry in turn.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from paymentsite.ledger.book import BALANCE_MAX

JOURNAL: Final = (
    ("id", "uuid"),
    ("kind", "text"),
    ("scope", "text"),
    ("reference", "text"),
    ("request_hash", "bytea"),
    ("digest", "bytea"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
    ("actor", "text"),
    ("parent_id", "uuid"),
    ("source", "text"),
    ("details", "jsonb"),
)


class Shape(NamedTuple):
    """What an act is made of. Accounts are told by their place: strict ones in id order first, then deferred ones.

    A move is the places of its source and target; a new hold is the place of its account.
    """

    strict: int
    hot: int
    entries: tuple[tuple[int, ...], ...]


class _Entry(NamedTuple):
    """An entry with the numbers of its parameters."""

    position: int
    accounts: tuple[int, ...]
    first: int

    @property
    def is_move(self) -> bool:
        return len(self.accounts) > 1

    @property
    def amount(self) -> str:
        return f"${self.first}::bigint"

    @property
    def unit(self) -> str:
        return f"${self.first + 1}::text"

    @property
    def hold(self) -> str:
        return f"${self.first + 2}::uuid"

    @property
    def until(self) -> str:
        return f"${self.first + 3}::timestamptz"


@lru_cache(maxsize=256)
def statement(shape: Shape) -> bytes:
    """The statement for acts of that shape, as the driver sends it."""
    entries = _numbered(shape)
    strict, hot = range(shape.strict), range(shape.strict, shape.strict + shape.hot)
    parts, seen, fits = [], [], []
    if strict:
        parts.append(_LOCKED.format(ids=_ids(strict)))
        seen.append(_SEEN.format("locked"))
        fits.append(_all_bear("locked", strict, lambda place: _bears(place, entries)))
    if hot:
        parts.append(_HOT.format(ids=_ids(hot)))
        seen.append(_SEEN.format("hot"))
        fits.append(_all_bear("hot", hot, lambda place: f"{_open(place, entries)} AND {_COUNTABLE}"))
    parts.append(_JOURNAL.format(columns=_COLUMNS, values=_values(shape), fits=" AND ".join(fits)))
    if strict:
        posted = _by_account(strict, lambda place: _posted(place, entries) or "+ 0", _THIS)
        held = _by_account(strict, lambda place: _held(place, entries) or "+ 0", _THIS)
        posts = _by_account(strict, lambda place: str(len(_legs(place, entries))), _THIS)
        parts.append(_UPDATED.format(posted=posted, held=held, posts=posts))
    if any(entry.is_move for entry in entries):
        parts.append(_POSTED.format(rows=" UNION ALL ".join(_postings(shape, entries))))
    if holds := [entry for entry in entries if not entry.is_move]:
        parts.append(_PLACED.format(rows=" UNION ALL ".join(map(_placed, holds))))
        parts.append(_TOLD.format(rows=" UNION ALL ".join(map(_told, holds))))
    parts.append(_UNSEALED)
    text = f"WITH {', '.join(parts)} {' UNION ALL '.join(seen)}"
    return re.sub(r"\s+", " ", text).encode()


def _numbered(shape: Shape) -> list[_Entry]:
    entries = []
    first = shape.strict + shape.hot + len(JOURNAL) + 1
    for position, accounts in enumerate(shape.entries, 1):
        entry = _Entry(position, accounts, first)
        entries.append(entry)
        first += 2 if entry.is_move else 4
    return entries


def _ids(places: Sequence[int]) -> str:
    return ", ".join(f"${place + 1}::bigint" for place in places)


def _values(shape: Shape) -> str:
    first = shape.strict + shape.hot + 1
    return ", ".join(f"${number}::{kind}" for number, (_, kind) in enumerate(JOURNAL, first))


def _legs(place: int, entries: Sequence[_Entry]) -> list[_Entry]:
    return [entry for entry in entries if entry.is_move and place in entry.accounts]


def _posted(place: int, entries: Sequence[_Entry]) -> str:
    """What ``entries`` add to an account, as the rest of a sum; empty when nothing."""
    return "".join(f" {'-' if leg.accounts[0] == place else '+'} {leg.amount}" for leg in _legs(place, entries))


def _held(place: int, entries: Sequence[_Entry]) -> str:
    return "".join(f" + {entry.amount}" for entry in entries if entry.accounts == (place,))


def _open(place: int, entries: Sequence[_Entry]) -> str:
    """A frozen or closed account bears nothing; one with nothing out may only receive. Keep in step with rules.py."""
    goes_out = any(entry.accounts[0] == place for entry in entries)
    return "status = 'open'" if goes_out else _MAY_RECEIVE


def _bears(place: int, entries: Sequence[_Entry]) -> str:
    posted, held = _posted(place, entries), _held(place, entries)
    conditions = [_open(place, entries), _ABOVE_FLOOR.format(posted=posted, less_held=held.replace("+", "-"))]
    if posted:
        conditions.append(f"posted_minor{posted} BETWEEN -{BALANCE_MAX} AND {BALANCE_MAX}")
    if held:
        conditions.append(f"held_minor{held} <= {BALANCE_MAX}")
    return " AND ".join(conditions)


def _by_account(places: Sequence[int], value: Callable[[int], str], account: str = "account_id") -> str:
    """One value for each account, or the value that is the same for all."""
    values = [value(place) for place in places]
    if len(set(values)) == 1:
        return values[0]
    cases = "".join(f" WHEN ${place + 1} THEN {each}" for place, each in zip(places, values, strict=True))
    return f"CASE {account}{cases} END"


def _all_bear(seen: str, places: Sequence[int], condition: Callable[[int], str]) -> str:
    return f"(SELECT count(*) = {len(places)} FROM {seen} WHERE {_by_account(places, condition)})"


def _postings(shape: Shape, entries: Sequence[_Entry]) -> list[str]:
    """Each leg with the balances and numbers that it and the legs before it leave on its strict sides."""
    rows = []
    legs = [entry for entry in entries if entry.is_move]
    for number, leg in enumerate(legs, 1):
        sides, tables = [], ["journal"]
        for side, place in zip(("s", "t"), leg.accounts, strict=True):
            if place < shape.strict:
                done = _legs(place, legs[:number])
                sides.append(_SIDE.format(side=side, legs=len(done), posted=_posted(place, done)))
                tables.append(f"JOIN locked {side} ON {side}.account_id = ${place + 1}")
            else:
                sides.append("NULL::bigint, NULL::bigint")
        source, target = leg.accounts
        rows.append(
            f"SELECT journal.id, {leg.position}, {leg.unit}, ${source + 1}, ${target + 1}, {leg.amount},"
            f" {', '.join(sides)} FROM {' '.join(tables)}"
        )
    return rows


def _placed(hold: _Entry) -> str:
    return (
        f"SELECT {hold.hold}, ${hold.accounts[0] + 1}, {hold.unit}, {hold.amount}, 0, 0, 'open', recorded_at,"
        f" {hold.until} FROM journal"
    )


def _told(hold: _Entry) -> str:
    return f"SELECT {hold.hold}, id, {hold.position}, 'placed', {hold.amount}, {hold.until} FROM journal"


_COLUMNS: Final = ", ".join(name for name, _ in JOURNAL)
_ROW: Final = "account_id, posted_minor, held_minor, floor_minor, seq, status"
_SEEN: Final = f"SELECT EXISTS (SELECT FROM journal), {_ROW} FROM {{}}"
_THIS: Final = "locked.account_id"
_MAY_RECEIVE: Final = "(status = 'open' OR status = 'no_debit')"
_COUNTABLE: Final = f"posted_minor BETWEEN -{BALANCE_MAX} AND {BALANCE_MAX}"
_ABOVE_FLOOR: Final = "(floor_minor IS NULL OR posted_minor{posted} - held_minor{less_held} >= floor_minor)"
_LOCKED: Final = f"""
locked AS MATERIALIZED (
  SELECT {_ROW} FROM ledger_balance WHERE account_id IN ({{ids}}) ORDER BY account_id FOR UPDATE)"""
_HOT: Final = f"""
hot AS MATERIALIZED (SELECT {_ROW} FROM ledger_balance WHERE account_id IN ({{ids}}))"""
_JOURNAL: Final = """
journal AS (
  INSERT INTO ledger_journal ({columns}) SELECT {values} WHERE {fits}
  ON CONFLICT (scope, reference) DO NOTHING RETURNING id, recorded_at)"""
# All that a CHECK looks at is said anew, from the locked rows: PostgreSQL checks a row before it finds that it changed
# since the statement began, and would refuse what is paid for by money that came in meanwhile.
_UPDATED: Final = """
updated AS (
  UPDATE ledger_balance SET posted_minor = locked.posted_minor + ({posted}), held_minor = locked.held_minor + ({held}),
    floor_minor = locked.floor_minor, seq = locked.seq + {posts}
  FROM locked WHERE ledger_balance.account_id = locked.account_id AND EXISTS (SELECT FROM journal))"""
_SIDE: Final = "{side}.seq + {legs}, {side}.posted_minor{posted}"
_POSTED: Final = """
posted AS (
  INSERT INTO ledger_posting (journal_id, position, unit, source_id, target_id, amount_minor,
    source_seq, source_balance_minor, target_seq, target_balance_minor) {rows})"""
_PLACED: Final = """
placed AS (
  INSERT INTO ledger_hold (id, account_id, unit, authorised_minor, captured_minor, released_minor, state, placed_at,
    expires_at) {rows})"""
_TOLD: Final = """
told AS (INSERT INTO ledger_holdevent (hold_id, journal_id, position, kind, amount_minor, expires_at) {rows})"""
_UNSEALED: Final = "unsealed AS (INSERT INTO ledger_unsealed (journal_id) SELECT id FROM journal)"
