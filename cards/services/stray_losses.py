"""What networks took from us for cards that are none of ours, and nobody claims: a loss, when two people say so."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import CardMessage
from cards.models.messages import Kind
from cards.services import refunds_aside, strays
from cards.services.losses import LOSSES
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit, open_items
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from wallets.services import bookings

SCOPE: Final = "cards.stray.written_off"
TOLD: Final = "card.stray_written_off"
_TAKES: Final = {Kind.CAPTURE, Kind.REFUND_REVERSAL}


class StrayNotOpen(Conflict):
    code = "card_stray_not_open"
    sentence = gettext_noop("Nothing was taken from us by this message, or it is written off already.")


@approvals.required(
    "cards.write_off_stray",
    right="cards.approve_write_off",
    concerns=approvals.NOBODY,
    title=_("Write off what was taken for a card that is none of ours"),
    lines={"message": Line(_("message")), "amount": Line(_("written off"))},
)
def write_off(*, message: CardMessage, by: Actor, reason: str) -> Effect:
    """What ``message`` took out of suspense is our loss; refused where it took nothing, or was written off before."""
    found = CardMessage.objects.select_for_update().get(pk=message.pk)
    amount = open_amount(found)
    if amount is None:
        raise StrayNotOpen
    journal = ledger.post(
        ledger.Move(amount, ledger.house(LOSSES, amount.unit), bookings.suspense(amount.unit)),
        kind="card_stray_written_off",
        scope=SCOPE,
        reference=str(found.pk),
        source=f"card_message:{found.pk}",
        by=by,
        must=True,
    ).journal_id
    audit.record(by=by, act=TOLD, subject=found, after={"amount": amount, "journal": journal}, reason=reason)
    open_items.close(kind=strays.STRAY, subject=found, by=by, note=reason)
    return {"message": found, "amount": amount}


def open_amount(message: CardMessage) -> Money | None:
    """What the message took for a card that is none of ours, but for what had been given back to that before, as long
    as it is not written off."""
    if message.use_id is not None or message.kind not in _TAKES or message.journal_id is None:
        return None
    if Journal.objects.posted().filter(scope=SCOPE, reference=str(message.pk)).exists():
        return None
    return taken(message)


def taken(message: CardMessage) -> Money | None:
    """What the message took of ours; nothing where it took back what a refund had put in suspense."""
    minor = message.settlement_minor or 0
    if message.kind == Kind.REFUND_REVERSAL:
        minor = refunds_aside.of_stray(message).short.get(message.journal_id, minor) if message.journal_id else 0
    return Money(minor, message.settlement_currency) if minor else None
