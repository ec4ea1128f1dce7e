"""Lots by the day they can be spent, and what is left of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Entry
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.services import Terms

DAY = timedelta(days=1)


def today() -> date:
    return clock.today()


def post(*entries: Entry) -> ledger.Posted:
    return ledger.post(*entries, reference=f"{Journal.objects.count()}")


def terms(origin: str, first: int = 0, last: int = 9) -> Terms:
    return Terms(origin, today() + first * DAY, today() + last * DAY)


def later(days: int) -> Callable[[], object]:
    return clock.standing(clock.now() + days * DAY)


def left(account: Account) -> dict[str, int]:
    return {lot.origin: lot.left_minor for lot in account.lot_rows.all()}


def uses(posted: ledger.Posted) -> list[tuple[str, str, int]]:
    found = Journal.objects.get(pk=posted.journal_id).lot_uses.order_by("pk")
    return list(found.values_list("kind", "lot__origin", "amount_minor"))


@contextmanager
def at_noon() -> Iterator[None]:
    """One moment for all of a test, so that no midnight comes in between."""
    with clock.standing(clock.now().replace(hour=4)):
        yield
