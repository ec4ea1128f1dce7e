"""The way of most acts on PostgreSQL: one statement, which is also the whole transaction when none is open.

It carries moves between accounts without lots, and new holds on them. It locks the strict accounts in id order,
looks whether all of them bear the act, and only then writes; when they do not, it writes nothing and returns what it
saw, so that the rules that refuse are those of ``paymentsite.ledger.rules`` and no transaction is broken by a refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from paymentsite.ledger.book import BalanceState
from paymentsite.ledger.canon import HoldFacts, JournalFacts, PostingFacts, text
from paymentsite.ledger.entries import Draft, Move, Place
from paymentsite.ledger.store import wire
from paymentsite.ledger.store.arrays import moment
from paymentsite.ledger.store.wording import Shape, statement

_ENTRIES_MAX: Final = 8


@dataclass(slots=True)
class Swift:
    """An act laid out for the statement: its accounts in the order of its shape, and what becomes of the books."""

    shape: Shape
    accounts: list[int]
    postings: list[PostingFacts]
    holds: list[HoldFacts]
    values: list[str | None]


@dataclass(frozen=True, slots=True)
class Saw:
    """What the statement found: whether it wrote the journal, and the balances as they were before."""

    written: bool
    balances: list[BalanceState]


def lay_out(draft: Draft, new_id: Callable[[], UUID]) -> Swift | None:
    """The act for the one statement, or None when it needs more than that."""
    if len(draft.entries) > _ENTRIES_MAX:
        return None
    strict: set[int] = set()
    hot: set[int] = set()
    entries: list[Move | Place] = []
    for entry in draft.entries:
        match entry:
            case Move(_, source, target, None) if not source.lots:
                entries.append(entry)
                (strict if source.strict else hot).add(source.id)
                (strict if target.strict else hot).add(target.id)
            case Place(_, account) if not account.lots:
                entries.append(entry)
                strict.add(account.id)
            case _:
                return None
    accounts = [*sorted(strict), *sorted(hot)]
    postings: list[PostingFacts] = []
    holds: list[HoldFacts] = []
    places: list[tuple[int, ...]] = []
    values: list[str | None] = []
    for position, each in enumerate(entries, 1):
        amount = each.amount
        values += (str(amount.minor), amount.unit)
        if isinstance(each, Move):
            source_id, target_id = each.source.id, each.target.id
            places.append((accounts.index(source_id), accounts.index(target_id)))
            postings.append(PostingFacts(position, amount.unit, source_id, target_id, amount.minor, None))
        else:
            hold_id, until = new_id(), each.expires_at
            places.append((accounts.index(each.account.id),))
            holds.append(HoldFacts(position, "placed", hold_id, each.account.id, amount.minor, until))
            values += (hold_id.hex, None if until is None else moment(until))
    return Swift(Shape(len(strict), len(hot), tuple(places)), accounts, postings, holds, values)


def run(swift: Swift, journal: JournalFacts, digest: bytes) -> Saw:
    """Send the statement."""
    recorded_at = moment(journal.recorded_at)
    values: list[wire.Value] = [
        *map(str, swift.accounts),
        journal.id.hex,
        journal.kind,
        journal.scope,
        journal.reference,
        journal.request_hash,
        digest,
        recorded_at if journal.occurred_at is journal.recorded_at else moment(journal.occurred_at),
        recorded_at,
        journal.actor,
        None if journal.parent_id is None else journal.parent_id.hex,
        journal.source,
        text(journal.details) or None,
        *swift.values,
    ]
    rows = wire.run(statement(swift.shape), values)
    return Saw(rows[0][0] == b"t", [_state(row) for row in rows])


def _state(row: wire.Row) -> BalanceState:
    _, account_id, posted, held, floor, seq, status = row
    return BalanceState(
        int(account_id or 0),
        int(posted or 0),
        int(held or 0),
        None if floor is None else int(floor),
        int(seq or 0),
        (status or b"").decode(),
    )


def completed(swift: Swift, saw: Saw) -> dict[int, int]:
    """What the act left on each strict account that its postings touched."""
    before = {state.account_id: state.posted for state in saw.balances[: swift.shape.strict]}
    left: dict[int, int] = {}
    for _, _, source_id, target_id, amount, _ in swift.postings:
        if source_id in before:
            left[source_id] = left.get(source_id, before[source_id]) - amount
        if target_id in before:
            left[target_id] = left.get(target_id, before[target_id]) + amount
    return left
