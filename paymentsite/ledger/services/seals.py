"""Sealing: blocks over what was written, the roll-up of hot accounts, snapshots.

The closer takes what is unsealed and deletes it from there; a watermark over ids would lose what commits late. Hash
and roll-up happen in its one transaction, so that each journal is in exactly one block and in the balances once. It
works on one view of the database and never makes a writer wait.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from paymentsite.core import clock, vault
from paymentsite.core.acts import TRIES, begins_again, check_committed, pause, sqlstate
from paymentsite.ledger import canon, merkle, store
from paymentsite.ledger.canon import SideFacts
from paymentsite.ledger.models import Balance, Block, Journal, Posting, Unsealed

R = TypeVar("R")

BLOCK_SIZE: Final = 8_192
GENESIS: Final = bytes(32)
# An advisory lock of PostgreSQL that closers alone take: "seal".
_LOCK: Final = 0x7365616C

_HEIGHT_TAKEN: Final = "23505"  # by a closer that committed after this one's view was taken

_SNAPSHOT: Final = """
INSERT INTO ledger_snapshot (block_id, account_id, posted_minor, held_minor, seq)
SELECT %s, b.account_id, b.posted_minor, b.held_minor, b.seq
FROM ledger_balance b
LEFT JOIN ledger_snapshot s ON s.id = (
    SELECT x.id FROM ledger_snapshot x WHERE x.account_id = b.account_id ORDER BY x.block_id DESC LIMIT 1)
WHERE s.id IS NULL OR s.posted_minor <> b.posted_minor OR s.held_minor <> b.held_minor OR s.seq <> b.seq
"""


def close_blocks(*, size: int = BLOCK_SIZE) -> list[Block]:
    """Seal everything that is written and not sealed; no block when there is nothing, or another closer is at it."""
    return _on_one_view(lambda: _close_all(size))


def take_snapshot() -> Block | None:
    """Seal everything and keep what each account changed since its last snapshot holds now; None before any block."""

    def work() -> Block | None:
        if not _closing():
            return None
        _close_all(BLOCK_SIZE)
        last = Block.objects.order_by("-height").first()
        if last is not None:
            with connection.cursor() as cursor:
                cursor.execute(_SNAPSHOT, [last.height])
        return last

    return _on_one_view(work)


def _on_one_view(work: Callable[[], R]) -> R:
    """Do ``work`` in a transaction that sees the database as it is now, whatever others commit meanwhile."""
    if connection.in_atomic_block or connection.vendor != "postgresql":
        with transaction.atomic():
            return work()
    for tries in range(TRIES):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                result = work()
        except DatabaseError as error:
            # Another closer took a row in between: its work is seen by the next try.
            if tries == TRIES - 1 or not (begins_again(error) or sqlstate(error) == _HEIGHT_TAKEN):
                raise
            pause(tries)
        else:
            check_committed()
            return result
    raise AssertionError("the last try returns or raises")


def _closing() -> bool:
    """Whether this is the one closer; on SQLite every writer is the only one."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _close_all(size: int) -> list[Block]:
    if not _closing():
        return []
    blocks: list[Block] = []
    last = Block.objects.order_by("-height").first()
    while journals := _unsealed(size):
        last = _close_one(last, journals)
        blocks.append(last)
    return blocks


def _unsealed(size: int) -> list[tuple[UUID, bytes, datetime]]:
    waiting = Journal.objects.filter(unsealed__isnull=False).order_by("pk")
    rows = waiting.values_list("pk", "digest", "recorded_at")[:size]
    return [(pk, bytes(digest), recorded_at) for pk, digest, recorded_at in rows]


def _close_one(last: Block | None, journals: list[tuple[UUID, bytes, datetime]]) -> Block:
    span = (journals[0][0], journals[-1][0])
    changes: dict[int, int] = defaultdict(int)
    sides = _sides(span, changes)
    leaves = [canon.leaf(digest, sides.get(pk, ())) for pk, digest, _ in journals]

    block = _signed(last, merkle.root(leaves), [recorded_at for *_, recorded_at in journals])
    block.save(force_insert=True)
    store.here().write_leaves(block.height, zip((pk for pk, *_ in journals), leaves, strict=True))
    _roll_up(changes)
    taken, _ = Unsealed.objects.filter(journal__gte=span[0], journal__lte=span[1]).delete()
    if taken != len(journals):
        raise AssertionError(f"{len(journals)} journals were sealed, {taken} were taken")
    return block


def _sides(span: tuple[UUID, UUID], changes: dict[int, int]) -> dict[UUID, list[SideFacts]]:
    """What a span's unsealed postings left behind, by journal; what they moved on deferred accounts is added up."""
    sides: dict[UUID, list[SideFacts]] = defaultdict(list)
    postings = Posting.objects.filter(
        journal__gte=span[0], journal__lte=span[1], journal__unsealed__isnull=False
    ).order_by("pk")
    for row in postings.values_list(
        "journal_id",
        "source_id",
        "target_id",
        "amount_minor",
        "pk",
        "position",
        "source_seq",
        "source_balance_minor",
        "target_seq",
        "target_balance_minor",
    ).iterator():
        journal_id, source_id, target_id, amount = row[:4]
        side = SideFacts(*row[4:])
        sides[journal_id].append(side)
        if side.source_seq is None:
            changes[source_id] -= amount
        if side.target_seq is None:
            changes[target_id] += amount
    return sides


def _roll_up(changes: dict[int, int]) -> None:
    for account_id, change in sorted(changes.items()):
        if change:
            Balance.objects.filter(pk=account_id).update(posted_minor=F("posted_minor") + change)


def _signed(last: Block | None, root: bytes, times: list[datetime]) -> Block:
    until = max(times) if last is None else max(last.recorded_until, *times)
    block = Block(
        height=1 if last is None else last.height + 1,
        previous=GENESIS if last is None else bytes(last.digest),
        root=root,
        journals=len(times),
        recorded_from=min(times),
        recorded_until=until,
        closed_at=clock.now(),
    )
    block.digest = canon.block(block)
    signed = vault.sign(block.digest)
    block.key_id, block.signature = signed.key_id, signed.signature
    return block
