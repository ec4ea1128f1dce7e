"""Seals: the chain of blocks, who signed it, and that no journal is outside."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Min

from paymentsite.core import vault
from paymentsite.core.ids import uuid7_floor
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger import canon
from paymentsite.ledger.models import Block, Journal, Leaf
from paymentsite.ledger.services.seals import GENESIS
from paymentsite.ledger.verify.scope import scope

# How long before the last seal a journal may have begun that is still not committed.
_LATE_MAX: Final = timedelta(days=1)


@check("ledger.sealed_once", "Each journal is in one block, or waits for one; never both, never neither.")
def sealed_once(run: Run) -> Iterator[Fault]:
    journals = Journal.objects.order_by("pk").values_list("pk", flat=True)
    if last := Block.objects.filter(height=scope(run).height).first():
        journals = journals.filter(pk__gte=uuid7_floor(last.recorded_until - _LATE_MAX))
    for pk in journals.filter(unsealed__isnull=False, leaf__isnull=False):
        yield f"journal {pk}", "is in a block and waits for one"
    for pk in journals.filter(unsealed=None, leaf=None):
        yield f"journal {pk}", "is in no block and waits for none"


@check("ledger.block_chain", "Each block has the hash of its columns, names the one before it, and none is missing.")
def block_chain(run: Run) -> Iterator[Fault]:
    height, last = scope(run).height, None
    if height:
        last = Block.objects.filter(height=height).first()
        if last is None or bytes(last.digest).hex() != scope(run).digest:
            yield f"block {height}", "is not the one with which the last good run ended"
    expected = height + 1
    times = _times(height)
    for block in _blocks(height):
        if block.height != expected:
            yield f"block {expected}", f"is missing: the chain goes on at {block.height}"
            last = None
        yield from _block_faults(block, last, times.get(block.height))
        last, expected = block, block.height + 1


def _block_faults(block: Block, last: Block | None, times: tuple[datetime, datetime] | None) -> Iterator[Fault]:
    subject = f"block {block.height}"
    if canon.block(block) != bytes(block.digest):
        yield subject, "its hash is not that of its columns"
    if block.height == 1 and bytes(block.previous) != GENESIS:
        yield subject, "is the first, and names one before it"
    if last is not None and bytes(block.previous) != bytes(last.digest):
        yield subject, f"does not name block {last.height} as the one before it"
    if times is not None and (block.height == 1 or last is not None):
        until = times[1] if last is None else max(times[1], last.recorded_until)
        if (block.recorded_from, block.recorded_until) != (times[0], until):
            yield subject, "its times are not those of its journals"


def _times(height: int) -> dict[int, tuple[datetime, datetime]]:
    spans = Leaf.objects.filter(block__gt=height).values("block")
    ends = spans.annotate(first=Min("journal__recorded_at"), last=Max("journal__recorded_at"))
    return {block: (first, last) for block, first, last in ends.values_list("block", "first", "last")}


@check("ledger.block_signature", "Each block is signed by a key of ours.")
def block_signature(run: Run) -> Iterator[Fault]:
    for block in _blocks(scope(run).height):
        if not vault.verify(bytes(block.digest), block.key_id, bytes(block.signature)):
            yield f"block {block.height}", f"is not signed by our key {block.key_id}"


@check("ledger.head_is_kept", "The blocks whose heads were exported are still those.", needs="head")
def head_is_kept(run: Run) -> Iterator[Fault]:
    for number, head in enumerate(run.outside["head"], 1):
        if set(head) == {"audit"}:
            continue
        try:
            height, digest = int(head["fields"][2]), canon.hashed(head["fields"]).hex()
        except (LookupError, TypeError, ValueError):
            yield f"head {number}", "is none that ledger_head wrote"
            continue
        yield from _head_faults(height, digest, head)


def _head_faults(height: int, digest: str, head: dict[str, Any]) -> Iterator[Fault]:
    if digest != head.get("digest"):
        yield f"block {height}", "its exported head contradicts itself"
    block = Block.objects.filter(height=height).first()
    if block is None:
        yield f"block {height}", "was exported, and is gone"
    elif bytes(block.digest).hex() != digest:
        yield f"block {height}", "is not the one that was exported"


def _blocks(height: int) -> Iterator[Block]:
    return Block.objects.filter(height__gt=height).order_by("height").iterator(chunk_size=2_000)
