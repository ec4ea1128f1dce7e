"""Messages about cards that are none of ours: the network settles them with us all the same, so a person looks."""

from typing import Any

from cards.messages import MessageDiffers, Told
from cards.models import CardMessage
from cards.models.authorisations import Code, Kind, Outcome
from cards.services import use_books
from cards.services.uses import Taken
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import uuid7
from paymentsite.core.services import open_items
from paymentsite.ledger import services as ledger
from wallets.services import bookings

STRAY = "card_message_stray"
_MOVES = {Kind.CAPTURE: True, Kind.REFUND_REVERSAL: True, Kind.REFUND: False}


def take_in(told: Told, kind: Kind, by: Actor) -> Taken:
    """What the network takes from us, or gives us, stands in suspense until somebody knows whose it is."""
    now = clock.now()
    digest = told.digest(kind, None)
    settled = told.settlement if told.settlement is not None else told.amount
    facts: dict[str, Any] = {
        "id": uuid7(now),
        "kind": kind,
        "digest": digest,
        "outcome": Outcome.TOLD,
        "code": Code.NO_SUCH_CARD,
        "merchant_minor": told.amount.minor if told.amount else None,
        "merchant_currency": told.amount.unit if told.amount else "",
        "settlement_minor": settled.minor if settled else None,
        "settlement_currency": settled.unit if settled else "",
        "told_at": told.told_at,
        "at": now,
    }
    journal = None
    first = CardMessage.objects.filter(processor=told.processor, message_id=told.message_id).first()
    if first is None and kind in _MOVES and settled and settled.minor:
        ends = (bookings.suspense(settled.unit), use_books.clearing(told.processor, settled.unit))
        journal = ledger.post(
            ledger.Move(settled, *(ends if _MOVES[kind] else ends[::-1])),
            kind=f"card_{kind}",
            scope="cards.stray",
            reference=f"{told.processor}:{told.message_id}",
            source=f"card_message:{facts['id']}",
            by=by,
        ).journal_id
    message, made = CardMessage.objects.get_or_create(
        processor=told.processor, message_id=told.message_id, defaults={**facts, "journal_id": journal}
    )
    if message.digest != digest:
        raise MessageDiffers(message=told.message_id)
    if made and journal:
        why = f"{told.merchant.name}: {settled}, about a card that is none of ours."
        open_items.open(kind=STRAY, subject=message, why=why, by=SYSTEM)
    return Taken(None, "", replayed=not made)
