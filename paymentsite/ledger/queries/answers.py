"""Reading the books."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import Final
from uuid import UUID

from paymentsite.core.errors import DomainError
from paymentsite.ledger import canon
from paymentsite.ledger.entries import Draft, Move, Posted
from paymentsite.ledger.models import HoldEvent, Journal, Posting
from paymentsite.ledger.refusals import ReferenceConflict
from paymentsite.ledger.store import Stored


def answers(firsts: Iterable[Stored]) -> dict[UUID, Posted | DomainError]:
    """What each act was answered when it was decided, marked as replayed."""
    decided: dict[UUID, Posted | DomainError] = {}
    accepted: dict[UUID, Stored] = {}
    for first in firsts:
        if first.refusal is not None:
            decided[first.id] = DomainError.of(first.refusal["code"], first.refusal["facts"])
        else:
            accepted[first.id] = first
    balances: dict[UUID, dict[int, int]] = defaultdict(dict)
    for row in (
        Posting.objects.filter(journal__in=accepted)
        .order_by("journal", "position")
        .values_list("journal_id", "source_id", "source_balance_minor", "target_id", "target_balance_minor")
    ):
        for account_id, left in (row[1:3], row[3:5]):
            if left is not None:
                balances[row[0]][account_id] = left
    placed: dict[UUID, list[UUID]] = defaultdict(list)
    for event in HoldEvent.objects.filter(journal__in=accepted, kind=HoldEvent.Kind.PLACED).order_by("position"):
        placed[event.journal_id].append(event.hold_id)
    for pk, first in accepted.items():
        decided[pk] = Posted(pk, first.recorded_at, balances[pk], tuple(placed[pk]), replayed=True)
    return decided


def conflict(draft: Draft, first: Stored) -> ReferenceConflict:
    """The refusal of ``draft`` because its reference belongs to ``first``, naming the fields that differ."""
    asked = canon.asked(draft)
    if first.refusal is not None:
        fields = _differing([list(part) for part in first.refusal["asked"]], asked)
    else:
        fields = _differing_from(Journal.objects.get(pk=first.id), draft, asked)
    return ReferenceConflict(reference=draft.reference, fields=fields)


def conflict_between(draft: Draft, first: Draft) -> ReferenceConflict:
    """The same, when both stand in one batch."""
    return ReferenceConflict(reference=draft.reference, fields=_differing(canon.asked(first), canon.asked(draft)))


_MOVE_FIELDS: Final = ("kind", "amount", "unit", "source", "target")


def _differing(before: list[list[str]], asked: list[list[str]]) -> list[str]:
    fields, position = [], 0
    nothing: list[str] = []
    for one, other in zip_longest(before, asked, fillvalue=nothing):
        position += "entries" in (one[:1] + other[:1])
        if one == other:
            continue
        name = (other or one)[0]
        fields.append(name if name != "entries" else _differing_entry(position, one[1:], other[1:]))
    return fields


def _differing_entry(position: int, one: list[str], other: list[str]) -> str:
    """``entries[1].amount`` when that is all that differs between two moves, else ``entries[1]``."""
    if one[:1] == other[:1] == ["move"] and len(one) == len(other):
        names = [name for name, a, b in zip(_MOVE_FIELDS, one, other, strict=False) if a != b]
        if len(names) == 1:
            return f"entries[{position}].{names[0]}"
    return f"entries[{position}]"


def _differing_from(journal: Journal, draft: Draft, asked: list[list[str]]) -> list[str]:
    """The same against an act that was done: what was asked is read back from what was written."""
    occurred_at = "" if draft.occurred_at is None else canon.moment(journal.occurred_at)
    before = [
        ["kind", journal.kind],
        ["parent", "" if journal.parent_id is None else journal.parent_id.hex],
        ["source", journal.source],
        ["occurred_at", occurred_at],
        ["details", canon.text(journal.details)],
    ]
    fields = _differing(before, asked[: len(before)])
    moved = {posting.position: posting for posting in journal.postings.all()}
    for position, entry in enumerate(draft.entries, 1):
        if isinstance(entry, Move):
            posting = moved.get(position)
            there = [] if posting is None else _as_move(posting)
            if there != (here := asked[4 + position][1:6]):
                fields.append(_differing_entry(position, there, here))
    return fields or ["occurred_at" if draft.occurred_at is None else "entries"]


def _as_move(posting: Posting) -> list[str]:
    ends = (str(posting.source_id), str(posting.target_id))
    return ["move", str(posting.amount_minor), posting.unit, *ends]
