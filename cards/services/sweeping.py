"""What is left on prepaid cards that are over: it goes to their members' wallets, as soon as it can."""

from typing import Final

from cards.models import Card
from cards.services import loading
from paymentsite.core.actors import SYSTEM
from paymentsite.core.services import open_items

UNSWEPT: Final = "card_rest_unswept"


def swept(card: Card) -> bool:
    """What stands on a prepaid card that is over, and is not set aside any more, is in its member's wallet; whether
    anything went there. The member is locked.

    Unless another card stands in its place, which spends it. What cannot go there now is before a person.
    """
    if not (card.ended and card.prepaid) or Card.objects.living().filter(account=card.account_id).exists():
        return False
    left, last = loading.left_on(card), Card.objects.filter(account=card.account_id).latest("pk")
    if left.minor > 0 and not loading.can_give_back(card):
        why = f"{left} is on {card}, which is over, and cannot go to its member's wallet."
        open_items.open(kind=UNSWEPT, subject=last, why=why, by=SYSTEM)
        return False
    open_items.close(kind=UNSWEPT, subject=last, by=SYSTEM, note="nothing is left on it")
    return loading.give_back(card) is not None
