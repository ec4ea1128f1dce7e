"""Refunds that no account could take: placed by two people, paid to who has left, or taken back by their merchant."""

import pytest

from cards.models import Card, CardMessage
from cards.services import settling
from cards.services.credit_decisions import WalletTakesNothing
from cards.services.credits_left import RefundsLeft
from cards.services.settling import RefundForAWallet, RefundNotAside, RefundOfAnother
from members.models import Member, User
from members.services.limits import BalanceLimitExceeded
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.ledger.models import Balance
from tests.cards.leftovers import items, page, place, standing, status, stray, stuck, told_last
from tests.cards.using import STRANGER, debt, spending, stands, tell
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import cap
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import holds, wallet
from wallets.services import leaving

pytestmark = pytest.mark.django_db


def test_refund_that_was_stuck_is_put_on_its_members_wallet():
    message = stuck(20_00)
    card = message.use.card
    assert (standing("suspense"), stands(card), items()) == (20_00, (50_00, 0), {"card_refund_stuck"})
    proposal = place(message, card.member)
    assert proposal.effect["amount"] == cny(20_00).to_wire()

    decide(proposal)

    assert (standing("suspense"), stands(card), items()) == (0, (70_00, 0), set())
    assert told_last(card.member) == "20.00 CNY that a merchant gave back to your card is in your wallet now."
    assert AuditEntry.objects.get(act=settling.REFUND_TOLD).subject == f"cards.cardmessage:{message.pk}"
    assert clean()


def test_refund_pays_what_its_member_owes():
    message = stuck(20_00)
    card = message.use.card
    tell("capture", card, 60_00, final=True)
    assert debt(card) == 10_00

    decide(place(message, card.member))

    assert (debt(card), stands(card), clean()) == (0, (10_00, 0), True)


def test_item_stays_until_the_last_refund_of_a_use_is_placed():
    first = stuck(20_00)
    card = first.use.card
    status(card, Balance.Status.FROZEN)
    tell("refund", card, 5_00, reference="bought")
    status(card, Balance.Status.OPEN)
    second = CardMessage.objects.filter(kind="refund").latest("pk")

    decide(place(first, card.member))
    assert items() == {"card_refund_stuck"}
    decide(place(second, card.member))
    assert (items(), stands(card), clean()) == (set(), (75_00, 0), True)


def test_refund_is_placed_once():
    message = stuck()
    owner = message.use.member
    first, second = place(message, owner), place(message, owner)

    decide(first)
    for again in (lambda: decide(second), lambda: place(message, owner)):
        with pytest.raises(RefundNotAside):
            again()

    assert standing("suspense") == 0
    assert clean()


def test_refund_of_one_members_card_is_nobody_elses():
    with pytest.raises(RefundOfAnother):
        place(stuck(), member())
    assert standing("suspense") == 20_00


def test_refund_waits_while_the_wallet_takes_nothing():
    message = stuck()
    status(message.use.card, Balance.Status.FROZEN)

    with pytest.raises(WalletTakesNothing):
        place(message, message.use.member)


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_message_that_set_nothing_aside_cannot_be_placed(kind):
    found = spending(100_00)
    tell(kind, found, 10_00)

    with pytest.raises(RefundNotAside):
        place(CardMessage.objects.get(), found.member)


def test_refund_of_a_strangers_card_is_put_where_two_people_say():
    message, purse = stray(20_00), wallet(5_00)
    assert items() == {"card_message_stray"}

    decide(place(message, purse.member))

    assert (holds(purse), standing("suspense"), items(), clean()) == (cny(25_00), 0, set(), True)


def test_what_is_not_known_to_be_theirs_must_have_room():
    message, purse = stray(20_00), wallet(5_00)
    cap(24_99, measure="balance", period="always", member=purse.member)

    with pytest.raises(BalanceLimitExceeded):
        place(message, purse.member)


def test_capture_of_a_strangers_card_gives_nothing_to_place():
    tell("capture", spending(0), 20_00, number=STRANGER)

    with pytest.raises(RefundNotAside):
        place(CardMessage.objects.get(use=None), member())


def bought(minor: int = 50_00, reference: str = "bought") -> Card:
    """A card with what is left of 100.00 after so much was paid."""
    found = spending(100_00)
    tell("capture", found, minor, reference=reference, final=True)
    return found


def unable(found: Card, *messages: tuple[str, int]) -> Card:
    """The messages came while nothing could be on the card's account."""
    status(found, Balance.Status.FROZEN)
    for what, minor in messages:
        tell(what, found, minor, reference="bought")
    status(found, Balance.Status.OPEN)
    return found


BACK, AGAIN = ("refund", 20_00), ("reverse_refund", 20_00)


@pytest.mark.parametrize("messages", [(BACK, AGAIN), (AGAIN, BACK)])
def test_refund_that_its_merchant_takes_back_comes_out_of_suspense(messages):
    found = unable(bought(), *messages)

    assert (standing("suspense"), stands(found), debt(found), items()) == (0, (50_00, 0), 0, set())
    assert clean()


def test_what_is_left_of_a_refund_is_placed():
    found = unable(bought(), BACK, ("reverse_refund", 5_00))
    message = CardMessage.objects.get(kind="refund")
    assert (standing("suspense"), items()) == (15_00, {"card_refund_stuck"})

    decide(place(message, found.member))

    assert (standing("suspense"), stands(found), debt(found), items()) == (0, (65_00, 0), 0, set())
    assert clean()


def test_oldest_refund_is_taken_back_first():
    found = unable(bought(), BACK, ("refund", 10_00), ("reverse_refund", 25_00))
    first, second = CardMessage.objects.filter(kind="refund").order_by("pk")

    with pytest.raises(RefundNotAside):
        place(first, found.member)
    decide(place(second, found.member))

    assert (standing("suspense"), stands(found), items(), clean()) == (0, (55_00, 0), set(), True)


def test_refund_that_was_placed_is_taken_back_from_its_member():
    found = unable(bought(), BACK)
    decide(place(CardMessage.objects.get(kind="refund"), found.member))

    tell("reverse_refund", found, 20_00, reference="bought")

    assert (standing("suspense"), stands(found), debt(found), clean()) == (0, (50_00, 0), 0, True)


def test_refund_that_no_account_takes_pays_what_its_member_owes():
    found = bought(100_00)
    tell("capture", found, 8_00, reference="more", final=True)
    assert debt(found) == 8_00

    unable(found, BACK)

    assert (debt(found), standing("suspense"), items()) == (0, 12_00, {"card_refund_stuck"})
    assert clean()


def test_nobody_leaves_a_refund_that_is_set_aside_behind():
    found = unable(bought(100_00), BACK)

    with pytest.raises(RefundsLeft):
        leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="moving")


def gone() -> CardMessage:
    """What a merchant gave back to somebody who has left."""
    found = bought(100_00, "left")
    leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="moving")
    tell("refund", found, 20_00, reference="left")
    return CardMessage.objects.select_related("use__member").get(kind="refund")


def pay(message: CardMessage, whose: Member) -> Approval:
    return settling.pay_refund(message=message, member=whose, by=staff(), reason="to their account at the bank")


def test_refund_of_who_has_left_is_paid_by_hand_once():
    message = gone()
    assert (standing("suspense"), items()) == (20_00, {"card_refund_stuck"})
    first, second = pay(message, message.use.member), pay(message, message.use.member)

    decide(first)

    assert (standing("suspense"), standing("cash"), items(), clean()) == (0, before_cash() + 20_00, set(), True)
    with pytest.raises(RefundNotAside):
        decide(second)


def before_cash() -> int:
    """What came in for the wallet that the card draws on."""
    return -100_00


def test_refund_is_paid_by_hand_to_nobody_else_and_to_nobody_who_is_here():
    with pytest.raises(RefundOfAnother):
        pay(gone(), member())
    message = stuck()
    with pytest.raises(RefundForAWallet):
        pay(message, message.use.member)


def test_refund_of_who_has_left_that_is_taken_back_needs_nobody():
    message = gone()

    tell("reverse_refund", message.use.card, 20_00, reference="left")

    assert (standing("suspense"), debt(message.use.card), items(), clean()) == (0, 0, set(), True)


def test_page_offers_what_can_be_done(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    left, here = gone(), stuck()

    for message, offered, other in ((left, "pay", "place"), (here, "place", "pay")):
        shown = client.get(page(message)).content.decode()
        assert page(message, offered) in shown
        assert page(message, other) not in shown
    client.post(page(left, "pay"), {"reason": "to their account at the bank"})
    assert Approval.objects.get().act == "cards.pay_refund"


@pytest.mark.parametrize(("back", "left"), [(20_00, 0), (5_00, 15_00)])
def test_refund_of_a_strangers_card_is_placed_less_what_its_merchant_took_back(back, left):
    about = {"number": STRANGER, "reference": "stranger's"}
    tell("refund", spending(0), 20_00, **about)
    tell("reverse_refund", spending(0), back, **about)
    message, purse = CardMessage.objects.get(use=None, kind="refund"), wallet(5_00)
    assert (standing("suspense"), items()) == (left, {"card_message_stray"} if left else set())

    if left:
        decide(place(message, purse.member))
    else:
        with pytest.raises(RefundNotAside):
            place(message, purse.member)

    assert (holds(purse), standing("suspense"), items(), clean()) == (cny(5_00 + left), 0, set(), True)
