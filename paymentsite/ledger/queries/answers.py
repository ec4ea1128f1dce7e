"""What was answered when an act was decided."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from paymentsite.core.errors import DomainError
from paymentsite.ledger.entries import Posted
from paymentsite.ledger.models import HoldEvent, Posting
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
