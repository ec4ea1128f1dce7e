"""Messages about cards that are none of ours: what they moved is aside, or lost as two people said."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cards.models import CardMessage
from cards.models.messages import Kind
from cards.services import losses, stray_losses, strays
from cards.verify.settling import Told, moved
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal
from paymentsite.ledger.services.accounts import HOUSE


@check(
    "cards.strays_are_aside",
    "What a message about a card that is none of ours moved stands in suspense, or is our loss, and is told of once.",
)
def strays_are_aside(run: Run) -> Iterator[Fault]:
    rows = CardMessage.objects.filter(use=None, kind__in=strays.MOVES, settlement_minor__gt=0).order_by("pk")
    known = {row.pk: row for row in rows}
    run.seen["messages about cards of nobody's"] = len(known)
    journals = {UUID(each.reference): each for each in Journal.objects.posted().filter(scope=strays.SCOPE)}
    for key in sorted(known.keys() | journals.keys()):
        message, journal = known.get(key), journals.get(key)
        if message is None or journal is None or message.journal_id != journal.pk or not _is_aside(message, journal):
            yield f"message {key}", "it is about a card of nobody's, and its journal moved something else"
    told = Told(stray_losses.TOLD)
    losses = list(Journal.objects.posted().filter(scope=stray_losses.SCOPE).order_by("pk"))
    for loss in losses:
        message, found = known.get(UUID(loss.reference)), moved(loss)
        if message is None or not strays.MOVES[Kind(message.kind)] or not _is_lost(message, found):
            yield f"journal {loss.pk}", "it writes off what no message took"
        elif not told.tells(loss, found[0], f"cards.cardmessage:{message.pk}", of=None):
            yield f"journal {loss.pk}", "it writes off a message, and the audit trail tells otherwise"
    yield from told.idle(losses)


def _is_aside(message: CardMessage, journal: Journal) -> bool:
    ends = [(HOUSE, "suspense"), (f"processor:{message.processor}", "clearing")]
    wanted = ends if strays.MOVES[Kind(message.kind)] else ends[::-1]
    return _went(moved(journal)) == [(*wanted, message.settlement_minor, message.settlement_currency)]


def _is_lost(message: CardMessage, found: list[dict[str, Any]]) -> bool:
    lost = stray_losses.taken(message)
    return lost is not None and _went(found) == [((HOUSE, losses.LOSSES), (HOUSE, "suspense"), lost.minor, lost.unit)]


def _went(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """From where to where, and how much."""
    return [
        (
            (row["source__owner"], row["source__code"]),
            (row["target__owner"], row["target__code"]),
            row["amount_minor"],
            row["unit"],
        )
        for row in found
    ]
