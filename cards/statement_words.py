"""What uses of cards are called on their member's statements. Registers it with ``wallets.telling``."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext

from cards.models import Card, CardAuthorisation, CardMessage
from members.models import Member
from wallets.telling import Told, teller


@teller("card_use")
def uses(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """Paid or given back: the amount says which."""
    found = CardAuthorisation.objects.of(member).filter(pk__in=ids).select_related("card")
    return {str(use.pk): _told(use) for use in found}


def _told(use: CardAuthorisation) -> Told:
    words = gettext("%(merchant)s, with the card ending in %(last_four)s")
    said = words % {"merchant": use.merchant_name, "last_four": use.card.last_four}
    return Told(said, use.merchant_name, use.source)


@teller("card")
def cards(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """What it costs to have one."""
    words = gettext("Card ending in %(last_four)s")
    found = Card.objects.of(member).filter(public_id__in=ids)
    return {str(card.public_id): Told(words % {"last_four": card.last_four}, "", card.source) for card in found}


@teller("card_debt")
def debts(ids: Collection[str], _member: Member) -> Mapping[str, Told]:
    return {key: Told(gettext("What a card took more than there was")) for key in ids}


@teller("card_message")
def strays(ids: Collection[str], _member: Member) -> Mapping[str, Told]:
    """What came back to a card of nobody's, until it was known whose it is."""
    found = CardMessage.objects.filter(pk__in=ids)
    return {str(message.pk): Told(gettext("Refund to a card"), "", f"card_message:{message.pk}") for message in found}
