"""What uses of cards leave over, to arrange tests with: debts, and refunds that no account could take."""

from typing import Any

from django.urls import reverse

from cards.models import Card, CardMessage
from cards.services import settling, telling
from members.models import Member, Notice
from members.services import notices
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import Approval, OpenItem
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from tests.cards.using import STRANGER, spending, tell
from tests.wallets.deciding import staff


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:cards_{row._meta.model_name}_{name}", args=[row.pk])


def items() -> set[str]:
    """What waits for people, but for what was taken without a question, as all here is."""
    return set(OpenItem.objects.open().exclude(kind=telling.ABOVE).values_list("kind", flat=True))


def owing(minor: int = 30_00) -> Card:
    """Of a card with nothing on it so much was taken."""
    found = spending(0)
    tell("capture", found, minor, reference="owed", final=True)
    return found


def standing(code: str) -> int:
    return books.standing(ledger.house(code, "CNY")).posted.minor


def told_last(of: Member) -> str:
    return notices.sentence(Notice.objects.filter(member=of).latest("pk"))


def stuck(minor: int = 20_00) -> CardMessage:
    """A refund that could not be on its card's account, which can take something again."""
    found = spending(100_00)
    tell("capture", found, 50_00, reference="bought", final=True)
    status(found, Balance.Status.FROZEN)
    tell("refund", found, minor, reference="bought")
    status(found, Balance.Status.OPEN)
    return CardMessage.objects.filter(kind="refund").latest("pk")


def status(of: Card, became: str) -> None:
    ledger.set_status(account=of.account, status=became, by=SYSTEM, reason="test")


def place(message: CardMessage, whose: Member) -> Approval:
    return settling.place_refund(message=message, member=whose, by=staff(), reason="it is theirs")


def stray(minor: int = 20_00) -> CardMessage:
    """Money that came back to a number of nobody's."""
    tell("refund", spending(0), minor, number=STRANGER)
    return CardMessage.objects.get(use=None)
