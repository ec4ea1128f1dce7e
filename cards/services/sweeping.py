"""What is left on prepaid cards that are over: it goes to their members' wallets, as soon as it can."""

from functools import partial
from typing import Final

from django.db.models import Exists, F, OuterRef, QuerySet

from cards.models import Card, CardProduct
from cards.services import loading
from members.models import Member
from members.services import turns
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
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


def resting() -> QuerySet[Card]:
    """Cards that are over, with something on them that is not set aside: of those that spend one account the last."""
    later = Card.objects.filter(account=OuterRef("account"), pk__gt=OuterRef("pk"))
    more = {"account__balance__posted_minor__gt": F("account__balance__held_minor")}
    over = Card.objects.filter(state__in=Card.ENDED, product__kind=CardProduct.Kind.PREPAID, **more)
    return over.exclude(Exists(later))


def sweep_all() -> int:
    """What could not leave a card that is over when it ended has gone, where it can by now; from how many cards."""
    why = "What is left on it goes to its member's wallet, and that failed"
    done = [
        turns.take(partial(_sweep, pk), subject=Card(pk=pk), stuck=UNSWEPT, why=why)
        for pk in list(resting().order_by("pk").values_list("pk", flat=True))
    ]
    turns.settle(stuck=UNSWEPT, due=resting())
    return sum(map(bool, done))


@act
def _sweep(key: int) -> bool:
    Member.objects.lock(Card.objects.get(pk=key).member_id)
    return swept(Card.objects.select_related("member", "product", "wallet", "account").get(pk=key))
