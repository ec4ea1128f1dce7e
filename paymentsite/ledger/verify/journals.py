"""Journals: each is as it was written, and did something or was refused."""

import os
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.db.models import JSONField, Q, Value

from paymentsite.core import reading
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Block, Journal, Leaf, Unsealed
from paymentsite.ledger.verify import recount
from paymentsite.ledger.verify.recount import Blocks, Journals, Part, Recount
from paymentsite.ledger.verify.scope import key, rows, scope

# So many journals or leaves to a part: enough to be worth a process, few enough to share the work evenly.
PART: Final = 25_000
PROCESSES_MAX: Final = 4

_BOUNDS: Final = """
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM ledger_journal) AS numbered
WHERE number %% %s = 1 ORDER BY id
"""

_TWICE: Final = """
SELECT scope, reference, COUNT(*) FROM ledger_journal GROUP BY scope, reference HAVING COUNT(*) > 1
ORDER BY scope, reference
"""


@check("ledger.journal_digest", "Each journal's hash is that of its columns and of all that it did.")
def journal_digest(run: Run) -> Iterator[Fault]:
    yield from _faults(run, recount.DIGEST)


@check("ledger.leaf_digest", "Each sealed journal, and what its postings left behind, is as it was sealed.")
def leaf_digest(run: Run) -> Iterator[Fault]:
    yield from _faults(run, recount.LEAF)


@check("ledger.block_root", "Each block's root is that of its leaves, as many as it says, none missing.")
def block_root(run: Run) -> Iterator[Fault]:
    yield from _faults(run, recount.ROOT)


@check("ledger.journal_effects", "A posted journal did something; a refused one nothing, and says why.")
def journal_effects(run: Run) -> Iterator[Fault]:
    yield from _faults(run, recount.EFFECTS)
    # Python reads JSON's null as it reads nothing at all, SQL does not: the two would disagree on what was refused.
    for column in ("refusal", "details"):
        null = Journal.objects.filter(Q(**{column: Value(None, JSONField())}))
        for pk in null.values_list("pk", flat=True).order_by("pk"):
            yield f"journal {pk}", f"has JSON's null as its {column}"


@check("ledger.act_once", "One business act is one journal: no scope and reference stands twice.", whole=True)
def act_once(_: Run) -> Iterator[Fault]:
    for of, reference, count in rows(_TWICE):
        yield f"reference {of} {reference}", f"stands in {count} journals"


def _faults(run: Run, name: str) -> Iterator[Fault]:
    return ((subject, detail) for found, subject, detail in run.once(_recounted).faults if found == name)


def _recounted(run: Run) -> Recount:
    parts = list(_parts(run))
    whole = recount.gather(reading.spread(recount.recount, parts, processes=processes(len(parts))))
    run.seen.update(whole.seen)
    return whole


def processes(parts: int) -> int:
    """How many are worth starting for so many parts: to start one takes as long as to look at two parts."""
    return min(os.cpu_count() or 1, PROCESSES_MAX, parts // 2)


def _parts(run: Run) -> Iterator[Part]:
    height = scope(run).height
    yield from _changed(height) if height else _all()
    first, leaves = height + 1, 0
    for last, count in Block.objects.filter(height__gt=height).order_by("height").values_list("height", "journals"):
        leaves += count
        if leaves >= PART:
            yield Blocks(first, last)
            first, leaves = last + 1, 0
    if leaves:
        yield Blocks(first, last)


def _all() -> Iterator[Journals]:
    bounds = [UUID(key(first)) for (first,) in rows(_BOUNDS, [PART])]
    for number, first in enumerate(bounds, 1):
        yield Journals(first, bounds[number] if number < len(bounds) else None)


def _changed(height: int) -> Iterator[Journals]:
    """The journals of later blocks and those in none."""
    ids = sorted(
        [
            *Leaf.objects.filter(block__gt=height).values_list("journal_id", flat=True),
            *Unsealed.objects.values_list("journal_id", flat=True),
        ]
    )
    for start in range(0, len(ids), 1_000):
        yield Journals(ids=tuple(ids[start : start + 1_000]))
