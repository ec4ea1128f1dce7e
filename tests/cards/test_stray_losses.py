"""What is taken for a card that is none of ours: aside until two people say that it is lost, and told as it was."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from cards.models import CardMessage
from cards.services import losses, stray_losses
from cards.services.stray_losses import StrayNotOpen
from cards.verify import strays as checks
from members.models import User
from paymentsite.core import verification
from paymentsite.core.models import Approval, AuditEntry, OpenItem
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal, Posting
from tests.cards.using import STRANGER, spending, tell
from tests.verified import clean
from tests.wallets.deciding import decide, staff

pytestmark = pytest.mark.django_db


def taken(minor: int = 20_00, what: str = "capture") -> CardMessage:
    tell(what, spending(0), minor, number=STRANGER, message_id="stray")
    return CardMessage.objects.get(message_id="stray")


def lose(message: CardMessage) -> Approval:
    return stray_losses.write_off(message=message, by=staff(), reason="nobody knows the number")


def standing(code: str) -> int:
    return books.standing(ledger.house(code, "CNY")).posted.minor


@pytest.mark.parametrize("what", ["capture", "reverse_refund"])
def test_what_nobody_claims_is_our_loss_when_two_people_say_so(what):
    message = taken(20_00, what)
    proposal = lose(message)
    assert (standing("suspense"), OpenItem.objects.open().count(), clean()) == (-20_00, 1, True)

    decide(proposal)

    assert (standing("suspense"), standing(losses.LOSSES)) == (0, -20_00)
    assert (OpenItem.objects.open().count(), clean()) == (0, True)


def test_it_is_lost_once():
    message = taken()
    first, second = lose(message), lose(message)
    decide(first)

    with pytest.raises(StrayNotOpen):
        decide(second)
    with pytest.raises(StrayNotOpen):
        lose(message)
    assert standing(losses.LOSSES) == -20_00


def test_what_came_in_or_is_about_a_card_of_ours_is_not_lost():
    tell("refund", spending(0), 20_00, number=STRANGER)
    tell("capture", spending(100_00), 20_00, message_id="ours", final=True)

    for message in CardMessage.objects.all():
        with pytest.raises(StrayNotOpen):
            lose(message)


def test_it_is_proposed_in_the_back_office(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    message = taken()
    page = reverse("admin:cards_cardmessage_lose", args=[message.pk])
    assert "CN¥20.00" in client.get(page).content.decode()

    answer = client.post(page, {"reason": "nobody knows the number"}, follow=True)

    assert answer.status_code == 200
    assert Approval.objects.get().act == "cards.write_off_stray"


def of_stray(**columns: object) -> None:
    CardMessage.objects.filter(message_id="stray").update(**columns)


def of_loss(**columns: object) -> None:
    Posting.objects.filter(journal__scope=stray_losses.SCOPE).update(**columns)


CORRUPTIONS: dict[str, Callable[[], object]] = {
    "another amount": lambda: of_stray(settlement_minor=1),
    "another currency": lambda: of_stray(settlement_currency="USD"),
    "another processor": lambda: of_stray(processor="other"),
    "no journal": lambda: of_stray(journal=None),
    "message gone": lambda: CardMessage.objects.filter(message_id="stray").delete(),
    "less was lost": lambda: of_loss(amount_minor=1),
    "lost elsewhere": lambda: of_loss(source=ledger.house("fees", "CNY")),
    "loss of another message": lambda: Journal.objects.filter(scope=stray_losses.SCOPE).update(
        reference="018f0000-0000-7000-8000-000000000000"
    ),
    "told of less": lambda: AuditEntry.objects.filter(act=stray_losses.TOLD).update(
        after={**AuditEntry.objects.get(act=stray_losses.TOLD).after, "amount": {"amount": 1, "currency": "CNY"}}
    ),
    "never told": lambda: AuditEntry.objects.filter(act=stray_losses.TOLD).update(act="card.closed"),
}


@pytest.mark.parametrize("plant", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_corruption_is_found(unprotected, plant):
    decide(lose(taken()))
    assert list(checks.strays_are_aside(verification.Run())) == []

    with unprotected():
        plant()

    assert list(checks.strays_are_aside(verification.Run())) != []
