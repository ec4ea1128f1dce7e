"""Messages about cards that are none of ours, or that nothing can count: the network settles them with us all the same,
so a person looks."""

import json
from typing import Any, Final
from uuid import UUID, uuid5

from cards.messages import MessageDiffers, Told
from cards.models import Card, CardMessage
from cards.models.messages import Code, Kind, Outcome
from cards.services import refunds_aside, use_books
from cards.services.uses import Taken
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.services import open_items
from paymentsite.ledger import services as ledger
from wallets.services import bookings

_MESSAGES: Final = UUID("5f0c4a52-7c0e-4b57-9a39-0d6f7b0c9d11")
STRAY: Final = "card_message_stray"
SCOPE: Final = "cards.stray"
# What moves money, and whether it is out of suspense.
MOVES: Final = {Kind.CAPTURE: True, Kind.REFUND_REVERSAL: True, Kind.REFUND: False}


def take_in(told: Told, kind: Kind, by: Actor, card: Card | None = None) -> Taken:
    """What the network takes from us, or gives us, stands in suspense until somebody knows what to do: whose it is, or
    how much it is on ``card``."""
    now = clock.now()
    # The same message is the same row and the same journal, whoever is first.
    key = uuid5(_MESSAGES, json.dumps([told.processor, told.message_id]))
    digest = told.digest(kind, None)
    settled = told.settlement if told.settlement is not None else told.amount
    facts: dict[str, Any] = {
        "id": key,
        "kind": kind,
        "card": card,
        "reference": told.reference,
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
    if kind == Kind.REFUND_REVERSAL:
        _lock_refunds(told)
    first = CardMessage.objects.filter(processor=told.processor, message_id=told.message_id).first()
    if first is None and kind in MOVES and settled and settled.minor:
        ends = (bookings.suspense(settled.unit), use_books.clearing(told.processor, settled.unit))
        journal = ledger.post(
            ledger.Move(settled, *(ends if MOVES[kind] else ends[::-1])),
            kind=f"card_{kind}",
            scope=SCOPE,
            reference=str(key),
            source=f"card_message:{key}",
            by=by,
            must=True,
        ).journal_id
    message, made = CardMessage.objects.get_or_create(
        processor=told.processor, message_id=told.message_id, defaults={**facts, "journal_id": journal}
    )
    if message.digest != digest:
        raise MessageDiffers(message=told.message_id)
    if made and journal and not _taken_back(message):
        of = f"for which there is no rate to {card}" if card else "of which no card of ours is known to be"
        why = f"{told.merchant_name}: {settled}, {of}."
        open_items.open(kind=STRAY, subject=message, why=why, by=SYSTEM)
    return Taken(None, "", replayed=not made)


def _lock_refunds(told: Told) -> None:
    """Nobody puts on a wallet what is being taken back: whoever does, holds the refund's message, too."""
    refunds = CardMessage.objects.filter(use=None, processor=told.processor, reference=told.reference, kind=Kind.REFUND)
    list(refunds.select_for_update().order_by("pk"))


def _taken_back(message: CardMessage) -> bool:
    """Whether it took back what a refund had put in suspense, all of it: then nobody has to look at either."""
    if message.kind != Kind.REFUND_REVERSAL or message.journal_id is None:
        return False
    found = refunds_aside.of_stray(message)
    for refund in CardMessage.objects.filter(pk__in=[pk for pk, left in found.left.items() if not left]):
        open_items.close(kind=STRAY, subject=refund, by=SYSTEM, note="its merchant took it back")
    return not found.short.get(message.journal_id)
