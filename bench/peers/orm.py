"""The same posting as a careful Django project writes it: rows locked, changed and saved through the ORM.

It leaves the same rows as ``ledger.post`` in the same tables, sealed by the same closer: only the way there differs.
"""

import random
from collections.abc import Callable

from django.db import transaction

from bench.work.books import CENT, wallets
from bench.work.references import references
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import uuid7
from paymentsite.ledger import canon
from paymentsite.ledger.entries import Draft, Move
from paymentsite.ledger.models import Account, Balance, Journal, Posting, Unsealed


def transfers(seed: int) -> Callable[[], object]:
    """One transfer a call, between two accounts by chance."""
    accounts, chance, reference = wallets(), random.Random(seed), references()
    return lambda: transfer(*chance.sample(accounts, 2), reference=next(reference))


@transaction.atomic
def transfer(source: Account, target: Account, *, reference: str) -> None:
    """Move a cent, once per ``reference`` and never below the floor."""
    rows = Balance.objects.select_for_update().filter(pk__in=(source.pk, target.pk)).order_by("pk")
    locked = {balance.pk: balance for balance in rows}
    giving, taking = locked[source.pk], locked[target.pk]
    if giving.status != Balance.Status.OPEN or taking.status not in {Balance.Status.OPEN, Balance.Status.NO_DEBIT}:
        raise ValueError("one of the accounts is frozen")
    if giving.floor_minor is not None and giving.posted_minor - giving.held_minor - CENT.minor < giving.floor_minor:
        raise ValueError("insufficient funds")
    giving.posted_minor -= CENT.minor
    giving.seq += 1
    taking.posted_minor += CENT.minor
    taking.seq += 1

    journal = _journal(source, target, reference)
    journal.save(force_insert=True)
    Posting.objects.create(
        journal=journal,
        position=1,
        unit=CENT.unit,
        source=source,
        target=target,
        amount_minor=CENT.minor,
        source_seq=giving.seq,
        source_balance_minor=giving.posted_minor,
        target_seq=taking.seq,
        target_balance_minor=taking.posted_minor,
    )
    Unsealed.objects.create(journal=journal)
    giving.save(update_fields=["posted_minor", "seq"])
    taking.save(update_fields=["posted_minor", "seq"])


def _journal(source: Account, target: Account, reference: str) -> Journal:
    draft = Draft(entries=(Move(CENT, source, target),), reference=reference, scope="bench orm")
    now = clock.now()
    journal = Journal(
        id=uuid7(now),
        kind=draft.kind,
        scope=draft.scope,
        reference=draft.reference,
        request_hash=canon.request_hash(draft),
        occurred_at=now,
        recorded_at=now,
        actor=str(SYSTEM),
        source="",
    )
    facts = canon.JournalFacts(*(getattr(journal, name) for name in canon.JournalFacts._fields))
    journal.digest = canon.digest(
        facts, [canon.PostingFacts(1, CENT.unit, source.pk, target.pk, CENT.minor, reverses_id=None)]
    )
    return journal
