"""Reading journals with all that belongs to them, and blocks with their leaves, to make every hash again.

Books are read in parts, so that several processes can share the work and none needs much memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import connection
from django.db.models import F, Q, QuerySet

from paymentsite.ledger import canon, merkle
from paymentsite.ledger.canon import HoldFacts, JournalFacts, LotFacts, PostingFacts, SideFacts
from paymentsite.ledger.models import Block, HoldEvent, Journal, Leaf, LotUse, Posting
from paymentsite.ledger.store.postgres import raw

DIGEST: Final = "ledger.journal_digest"
LEAF: Final = "ledger.leaf_digest"
EFFECTS: Final = "ledger.journal_effects"
ROOT: Final = "ledger.block_root"


@dataclass(slots=True)
class Recount:
    """What was looked at, and what was wrong with it: check, subject, detail."""

    seen: dict[str, int]
    faults: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Journals:
    """The journals with ids from ``first`` on and before ``end``, or those with ``ids`` alone."""

    first: UUID | None = None
    end: UUID | None = None
    ids: tuple[UUID, ...] = ()

    def of(self, name: str) -> Q:
        if self.ids:
            return Q(**{f"{name}__in": self.ids})
        bounds = Q(**{f"{name}__gte": self.first})
        return bounds if self.end is None else bounds & Q(**{f"{name}__lt": self.end})

    def recount(self) -> Recount:
        made, mine = Recount({"journals": 0, "postings": 0}), self.of("journal")
        postings = _Feed(Posting.objects.filter(mine).order_by("journal", "pk").values_list(*_POSTING))
        holds = _Feed(HoldEvent.objects.filter(mine).order_by("journal", "pk").values_list(*_HOLD))
        lots = _Feed(LotUse.objects.filter(mine).order_by("journal", "pk").values_list(*_LOT))
        # Joined to the journals they would be read anew for every part.
        leaves = _Feed(Leaf.objects.filter(mine).order_by("journal").values_list("journal_id", "digest"))
        for row in _read(Journal.objects.filter(self.of("pk")).order_by("pk").values_list(*_JOURNAL)):
            pk = row[0]
            legs = postings.of(pk)
            _recount_one(made.faults, row, legs, holds.of(pk), lots.of(pk))
            for (leaf,) in leaves.of(pk):
                _compare_leaf(made.faults, row, legs, leaf)
            made.seen["journals"] += 1
            made.seen["postings"] += len(legs)
        return made


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of heights ``first`` to ``last``."""

    first: int
    last: int

    def recount(self) -> Recount:
        blocks = Block.objects.filter(height__gte=self.first, height__lte=self.last).order_by("height")
        leaves = Leaf.objects.filter(block__gte=self.first, block__lte=self.last).order_by("block", "position")
        feed = _Feed(leaves.values_list("block_id", "position", "digest"))
        made = Recount({"blocks": 0})
        for height, root, count in blocks.values_list("height", "root", "journals"):
            found = feed.of(height)
            if [position for position, _ in found] != list(range(count)):
                made.faults.append((ROOT, f"block {height}", f"holds {count} journals, its leaves are not those"))
            elif not found or merkle.root([bytes(digest) for _, digest in found]) != bytes(root):
                made.faults.append((ROOT, f"block {height}", "its root is not that of its leaves"))
            made.seen["blocks"] += 1
        return made


Part = Journals | Blocks


def recount(part: Part) -> Recount:
    """What is wrong with a part of the books."""
    return part.recount()


_CHUNK: Final = 5_000
_JOURNAL: Final = (
    "pk",
    "kind",
    "scope",
    "reference",
    "request_hash",
    "occurred_at",
    "recorded_at",
    "actor",
    "parent_id",
    "source",
    "details",
    "refusal",
    "digest",
)
_POSTING: Final = (
    "journal_id",
    "position",
    "unit",
    "source_id",
    "target_id",
    "amount_minor",
    "reverses_id",
    "pk",
    F("position"),
    "source_seq",
    "source_balance_minor",
    "target_seq",
    "target_balance_minor",
)
_HOLD: Final = ("journal_id", "position", "kind", "hold_id", "hold__account_id", "amount_minor", "expires_at")
_LOT: Final = (
    "journal_id",
    "position",
    "kind",
    "lot_id",
    "lot__account_id",
    "lot__origin",
    "lot__active_on",
    "lot__expires_on",
    "amount_minor",
    "hold_id",
)


def _read(rows: QuerySet[Any, Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of ``rows``; on PostgreSQL as the driver itself reads them, in a third of the time."""
    if connection.vendor != "postgresql":
        return iter(rows.iterator(chunk_size=_CHUNK))
    sql, given = rows.query.sql_with_params()
    return iter(psycopg.Cursor(raw()).execute(sql, given, binary=True).fetchall())


class _Feed:
    """Rows in the order of their first column, handed out as that column's values are asked for in the same order."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self._rows = _read(rows)
        self._ahead = next(self._rows, None)

    def of(self, key: Any) -> list[tuple[Any, ...]]:
        """The rows of ``key``, without it; rows of keys that nobody asked for are passed over."""
        ahead, found = self._ahead, []
        while ahead is not None and (ahead[0] == key or ahead[0] < key):
            if ahead[0] == key:
                found.append(ahead[1:])
            ahead = next(self._rows, None)
        self._ahead = ahead
        return found


def _recount_one(
    faults: list[tuple[str, str, str]],
    row: tuple[Any, ...],
    legs: list[tuple[Any, ...]],
    holds: list[tuple[Any, ...]],
    lots: list[tuple[Any, ...]],
) -> None:
    facts = JournalFacts._make(row[:-1])
    digest = canon.digest(
        facts,
        [PostingFacts._make(leg[:6]) for leg in legs],
        [HoldFacts._make(event) for event in holds] if holds else (),
        [LotFacts._make(use) for use in lots] if lots else (),
    )
    if digest != bytes(row[-1]):
        faults.append((DIGEST, f"journal {facts.id}", f"{facts.kind} {facts.scope} {facts.reference} was altered"))
    if fault := _effects_fault(facts, bool(legs or holds), bool(legs or holds or lots)):
        faults.append((EFFECTS, f"journal {facts.id}", fault))


def _compare_leaf(
    faults: list[tuple[str, str, str]], row: tuple[Any, ...], legs: list[tuple[Any, ...]], leaf: bytes
) -> None:
    if canon.leaf(bytes(row[-1]), [SideFacts._make(leg[6:]) for leg in legs]) != bytes(leaf):
        faults.append((LEAF, f"journal {row[0]}", "its hash or its running balances are not those that were sealed"))


def _effects_fault(journal: JournalFacts, moved: bool, touched: bool) -> str:  # noqa: FBT001  two ways to be empty
    if journal.refusal is None:
        return "" if moved else "was posted, and did nothing"
    if touched:
        return "was refused, and did something"
    refusal = journal.refusal
    if isinstance(refusal, dict) and isinstance(refusal.get("code"), str) and isinstance(refusal.get("facts"), dict):
        return ""
    return "was refused, and does not say with what code and facts"


def gather(parts: Iterable[Recount]) -> Recount:
    """All recounts as one."""
    whole = Recount({})
    for part in parts:
        whole.faults += part.faults
        for what, count in part.seen.items():
            whole.seen[what] = whole.seen.get(what, 0) + count
    return whole
