"""What this app keeps about a person: how it is told, and how it is taken away. Registers both with ``privacy``."""

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_noop

from cards import personal_accounts, personal_uses  # noqa: F401  they register what they tell and take away
from cards.models import Card, CardEvent, CardFee, CardLoad, CardReveal
from members.models import Member
from members.services import privacy


@privacy.exporter("our cards")
def held(member: Member) -> Any:
    """Without their numbers and codes, which are shown to who has proven again to be the member, and nowhere else."""
    events = Prefetch("events", CardEvent.objects.order_by("pk"))
    loads = Prefetch("loads", CardLoad.objects.order_by("pk"))
    fees = Prefetch("fees", CardFee.objects.order_by("due_on"))
    reveals = Prefetch("reveals", CardReveal.objects.order_by("pk"))
    found = (
        Card.objects.of(member).select_related("product").prefetch_related(events, loads, fees, reveals).order_by("pk")
    )
    return [
        {
            "product": card.product.code,
            "last four": card.last_four,
            "label": card.label,
            "use": card.use,
            "state": card.state,
            "reference": card.reference,
            "issued": card.issued_at,
            "last day": card.expires_on,
            "ended": card.ended_at,
            "events": [
                {"became": event.after, "by way of": event.channel, "reason": event.reason, "at": event.at}
                for event in card.events.all()
            ],
            "loads": [
                {"way": load.way, "amount": load.amount, "reference": load.reference, "at": load.at}
                for load in card.loads.all()
            ],
            "monthly fees": [
                {"due": fee.due_on, "amount": fee.amount, "state": fee.state, "at": fee.at} for fee in card.fees.all()
            ],
            "looks at its number": [
                {"asked": look.asked_at, "shown": look.shown_at, "proven by": look.proof, "by way of": look.channel}
                for look in card.reveals.all()
            ],
        }
        for card in found
    ]


@privacy.eraser(gettext_noop("our cards"))
def unlabelled(member: Member) -> None:
    """What they called their cards. Who is erased has left, and their cards ended with that."""
    Card.objects.of(member).exclude(label="").update(label="")
