"""What was taken or given back on a card of ours in a currency for which there is no rate: aside, and its member's."""

import pytest

from cards.models import CardMessage
from cards.services import refunds_aside, settling, strays
from cards.services.credits_left import RefundsLeft
from cards.services.settling import RefundForAWallet, RefundOfAnother
from members.services import privacy
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from tests.cards.leftovers import place, told_last
from tests.cards.using import spending, tell
from tests.members.limiting import cap
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import holds, wallet
from wallets.services import leaving, wallets

pytestmark = pytest.mark.django_db

TEN = Money(10_00, "KES")


def refunded(*, after_leaving: bool = False) -> tuple:
    found = spending(0)
    if after_leaving:
        leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="bye")
        found.member.refresh_from_db()
    tell("refund", found, TEN, reference="k")
    return found, CardMessage.objects.get(kind="refund")


def test_a_person_hears_for_which_card_there_is_no_rate():
    found, message = refunded()

    [item] = OpenItem.objects.open()
    assert (item.kind, item.why) == (strays.STRAY, f"Corner Shop: {TEN}, for which there is no rate to {found}.")
    assert (message.whose, refunds_aside.left_of(message), clean()) == (found.member, TEN, True)


def test_it_goes_to_the_cards_member_alone(client):
    found, message = refunded()
    cap(1, measure="balance", period="always", currency="KES")
    with pytest.raises(RefundOfAnother):
        place(message, wallet(0).member)

    # It is known to be theirs, so that no limit keeps it from them.
    decide(place(message, found.member))

    theirs = wallets.open(member=found.member, currency="KES", by=SYSTEM)
    assert (holds(theirs), told_last(found.member)) == (
        TEN,
        "10.00 KES that a merchant gave back to your card is in your wallet now.",
    )
    assert (OpenItem.objects.open().count(), clean()) == (0, True)


def test_nobody_leaves_before_it_is_decided():
    found, message = refunded()

    with pytest.raises(RefundsLeft):
        leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="bye")
    with pytest.raises(RefundForAWallet):
        settling.pay_refund(message=message, member=found.member, by=staff(), reason="by bank")


def test_who_has_left_is_paid_by_hand():
    found, message = refunded(after_leaving=True)

    decide(settling.pay_refund(message=message, member=found.member, by=staff(), reason="by bank"))

    assert (refunds_aside.left_of(message), OpenItem.objects.open().count(), clean()) == (None, 0, True)


def test_what_was_paid_by_hand_is_not_taken_back_out_of_suspense():
    found, message = refunded(after_leaving=True)
    decide(settling.pay_refund(message=message, member=found.member, by=staff(), reason="by bank"))

    tell("reverse_refund", found, TEN, reference="k")

    [item] = OpenItem.objects.open()
    assert (item.kind, clean()) == (strays.STRAY, True)


def test_member_is_told_of_it_with_their_data():
    found, _message = refunded()

    told = privacy.export(member=found.member, by=Actor.of(found.member.user))

    [row] = told["what was told of our cards and is aside"]
    assert (row["card"], row["kind"], row["amount"]) == (found.last_four, "refund", str(TEN))
