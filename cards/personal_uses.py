"""What is told to a person of the uses of their cards and of what they may be used for. Registers it with ``privacy``.

Nothing of it is taken away: it is the history of money.
"""

from typing import Any

from django.db.models import Prefetch

from cards.models import CardAuthorisation, CardControls, CardMessage
from members.models import Member
from members.services import privacy


@privacy.exporter("uses of our cards")
def uses(member: Member) -> Any:
    messages = Prefetch("messages", CardMessage.objects.select_related("receipt").order_by("at", "pk"))
    found = CardAuthorisation.objects.of(member).select_related("card").prefetch_related(messages).order_by("at", "pk")
    return [
        {
            "card": use.card.last_four,
            "merchant": use.merchant_name,
            "kind of merchant": use.category,
            "city": use.city,
            "country": use.country,
            "way of use": use.entry,
            "state": use.state,
            "at": use.at,
            "messages": [_told(message) for message in use.messages.all()],
        }
        for use in found
    ]


@privacy.exporter("what was told of our cards and is aside")
def strays(member: Member) -> Any:
    found = CardMessage.objects.filter(card__member=member).select_related("card").order_by("at", "pk")
    return [{"card": message.card and message.card.last_four, **_told(message)} for message in found]


def _told(message: CardMessage) -> dict[str, Any]:
    receipt = getattr(message, "receipt", None)
    return {
        "kind": message.kind,
        "amount": message.amount,
        "outcome": message.outcome,
        "why": message.code,
        "receipt": str(receipt.pk) if receipt else None,
        "at": message.at,
    }


@privacy.exporter("what our cards may be used for")
def controls(member: Member) -> Any:
    found = CardControls.objects.filter(member=member) | CardControls.objects.filter(card__member=member)
    return [
        {
            "card": row.card.last_four if row.card else None,
            "allowed": row.terms,
            "by way of": row.channel,
            "at": row.at,
        }
        for row in found.select_related("card").order_by("pk")
    ]
