"""What we wrote off of what members owed: a loss of ours, until the merchant gives it back after all.

Whose use it was follows from the journals of the debt's account alone: what is paid, and what is written off, is of the
oldest that is owed.
"""

from typing import Final

from django.db.models import Q

from cards.models import CardAuthorisation
from cards.queries.deciding import DEBT
from cards.services import use_books
from paymentsite.core.money import Money
from paymentsite.ledger.models import Posting
from paymentsite.ledger.services.accounts import HOUSE

LOSSES: Final = use_books.LOSSES
WRITTEN_OFF: Final = "cards.debt.written_off"


def of(use: CardAuthorisation) -> Money:
    """What of the use is our loss still."""
    lost = _written_off(use)
    return Money(lost - _came_back(use) if lost else 0, use.currency)


def _written_off(use: CardAuthorisation) -> int:
    """What was ever written off of what its member owed for the use."""
    owner = use.account.owner
    theirs = Q(source__owner=owner, source__code=DEBT) | Q(target__owner=owner, target__code=DEBT)
    rows = Posting.objects.filter(theirs, unit=use.currency).order_by("journal_id", "position")
    if not rows.filter(journal__scope=WRITTEN_OFF).exists():
        return 0
    owed: list[tuple[str, int]] = []
    lost = 0
    columns = ("journal__scope", "journal__source", "source__code", "amount_minor")
    for scope, source, code, minor in rows.values_list(*columns):
        if code == DEBT:
            owed.append((source, minor))
            continue
        left = minor
        while left and owed:
            whose, rest = owed[0]
            part = min(rest, left)
            left -= part
            owed[0] = whose, rest - part
            if part == rest:
                owed.pop(0)
            if scope == WRITTEN_OFF and whose == use.source:
                lost += part
    return lost


def _came_back(use: CardAuthorisation) -> int:
    """What its merchant gave back of that, less what they took again."""
    ours = {"journal__source": use.source, "journal__scope": use_books.SCOPE, "unit": use.currency}
    back = Posting.objects.filter(target__owner=HOUSE, target__code=LOSSES, **ours)
    gone = Posting.objects.filter(source__owner=HOUSE, source__code=LOSSES, **ours)
    return sum(back.values_list("amount_minor", flat=True)) - sum(gone.values_list("amount_minor", flat=True))


def recovered(use: CardAuthorisation) -> Money:
    """What its merchant gave back of our loss, and may take again."""
    return Money(_came_back(use), use.currency)
