"""What was approved and never taken: its time is over, and it can be spent again."""

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from cards.control_rules import Entry
from cards.messages import Merchant, Told
from cards.models import CardAuthorisation
from cards.models.messages import Kind
from cards.services import telling
from paymentsite.core.actors import SYSTEM
from paymentsite.core.waiting import First
from wallets.services import due

STUCK: Final = "card_use_stuck"


def lapse_due(*, now: datetime) -> int:
    """Let go what was set aside for longer than merchants of the kind may take; how many uses. Twice does it once."""
    rows = CardAuthorisation.objects.due(now).order_by("expires_at", "pk")
    return due.each(rows, lambda use: lapse(use.pk, now), stuck=STUCK)


def lapse(key: UUID, now: datetime) -> bool:
    """The same for one of them, if it still is due."""
    use = CardAuthorisation.objects.select_related("card").get(pk=key)
    told = Told(
        processor=use.processor,
        message_id=f"expiry {use.pk}",
        reference=use.reference,
        merchant=Merchant(
            id=use.merchant, name=use.merchant_name, category=use.category, country=use.country, city=use.city
        ),
        entry=Entry(use.entry),
        told_at=now,
        card=use.card.public_id,
    )
    return not telling.take_in(told=told, kind=Kind.EXPIRY, by=SYSTEM).replayed


# The next moment at which something lapses.
next_due: Final = First("expires_at", partial(CardAuthorisation.objects.filter, ended=False))
