"""Uses that go on for days, on cards that others replace meanwhile: limits and numbers of uses hold over all of it."""

from datetime import timedelta

import pytest

from cards.messages import MessageMalformed
from cards.models import Card
from cards.services import issuing, lapsing, life, telling
from cards.services.life import Channel
from cards.services.uses import ReferenceOfAnother
from members.models import Notice
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.models import OpenItem
from tests.cards.factories import card, debit
from tests.cards.leftovers import standing
from tests.cards.test_use_attacks import by, put
from tests.cards.using import HOTEL, ask, loaded, more, spending, stands, tell, use
from tests.members.factories import unlimited
from tests.members.limiting import cap
from tests.verified import clean
from tests.wallets.factories import holds, wallet

pytestmark = pytest.mark.django_db


def replaced(found: Card) -> Card:
    new = issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=by(found), channel=Channel.WEB)
    return life.activate(card=new, by=by(new), channel=Channel.WEB)


def one_use(**how: object) -> Card:
    return card(wallet(100_00).member, debit(), **how)


def test_daily_limit_holds_for_what_a_use_of_yesterday_is_increased_by():
    found = spending(100_00)
    put(found, ("amount", "day", 10_00))
    ask(found, 1_00, reference="hotel")

    with clock.standing(clock.now() + timedelta(days=1)):
        # All that the use is counts on the day on which it was last approved.
        answers = [more(found, amount, reference="hotel").outcome for amount in (10_00, 8_00, 2_00, 1_00)]
        answers.append(ask(found, 1).outcome)

        assert answers == ["declined", "approved", "declined", "approved", "declined"]
        assert (stands(found), clean()) == ((100_00, 10_00), True)


def test_use_that_comes_into_a_day_by_being_increased_is_one_of_that_day():
    found = spending(100_00)
    put(found, ("count", "day", 1))
    ask(found, 1_00, reference="hotel")

    with clock.standing(clock.now() + timedelta(days=1)):
        answers = [more(found, 1_00, reference="hotel").outcome, ask(found, 1_00).outcome]

    assert answers == ["approved", "declined"]


def test_what_was_increased_may_be_taken_for_as_long_as_what_was_just_approved():
    found = spending(100_00)
    ask(found, 1_00, reference="shop")
    lasts = use("shop").expires_at - clock.now()

    with clock.standing(clock.now() + timedelta(days=2)):
        more(found, 1_00, reference="shop")
        assert use("shop").expires_at - clock.now() > lasts - timedelta(hours=1)


def test_card_for_two_uses_is_used_twice_whichever_of_its_numbers_was():
    found = one_use(use=Card.Use.TIMES, times=2)
    new = replaced(found)
    tell("capture", found, 1_00, final=True)

    assert [ask(new, 1_00).code for _ in range(2)] == ["approved", "used_up"]
    assert clean()


def test_card_for_one_use_that_was_used_by_its_old_number_is_over():
    found = one_use(use=Card.Use.SINGLE)
    new = replaced(found)
    tell("capture", found, 1_00, final=True)

    assert ask(new, 1_00).code == "card_closed"
    assert (Card.objects.get(pk=new.pk).state, clean()) == ("closed", True)


def test_card_is_for_the_merchant_at_which_its_old_number_was_used_first():
    found = one_use(use=Card.Use.MERCHANT)
    new = replaced(found)
    tell("capture", found, 1_00, final=True)

    assert [ask(new, 1_00, merchant=HOTEL).code, ask(new, 1_00).code] == ["other_merchant", "approved"]
    assert clean()


def test_subscription_that_was_paid_by_its_old_number_is_paid():
    found = one_use(use=Card.Use.SUBSCRIPTION, every=Card.Every.MONTH)
    new = replaced(found)
    tell("capture", found, 10_00, final=True)

    assert ask(new, 10_00).code == "already_paid"
    with clock.standing(clock.now() + timedelta(days=28)):
        assert [ask(new, 90_00).code, ask(new, 10_00).code] == ["other_amount", "approved"]
        assert clean()


def test_refund_of_a_replaced_card_is_on_the_one_in_its_place():
    found = loaded(100_00)
    tell("capture", found, 50_00, reference="bought", final=True)
    new = replaced(found)

    tell("refund", new, 50_00, reference="bought")

    assert (stands(new), holds(found.wallet).minor, clean()) == ((100_00, 0), 0, True)


@pytest.mark.parametrize("first", [900_00, 10_00])
def test_one_use_is_at_one_merchant(first):
    """What was declined, or approved, at a hotel is not asked anew, or for more of, by a shop."""
    found = spending(100_00)
    ask(found, first, reference="stay", merchant=HOTEL)

    for question in (ask, more):
        with pytest.raises(MessageMalformed):
            question(found, 10_00, reference="stay")

    assert (use("stay").merchant_name, clean()) == ("Grand Hotel", True)


def test_refund_that_never_was_and_is_taken_back_is_told_to_member_and_staff():
    found = spending(100_00)

    tell("reverse_refund", found, 50_00, reference="odd")

    told = Notice.objects.filter(member=found.member).latest("pk")
    assert notices.sentence(told) == "Corner Shop took back 50.00 CNY that it had given back."
    assert OpenItem.objects.open().get().kind == telling.OVERTAKEN
    tell("refund", found, 50_00, reference="odd")
    assert (stands(found), OpenItem.objects.open().count(), clean()) == ((100_00, 0), 0, True)


def test_use_of_the_old_number_is_increased_under_the_new_one_and_no_more_under_its_own():
    found = spending(100_00)
    ask(found, 10_00, reference="stay", merchant=HOTEL)
    new = replaced(found)

    answers = [more(each, 10_00, reference="stay", merchant=HOTEL).code for each in (new, found)]

    assert (answers, use("stay").authorised_minor, clean()) == (["approved", "card_closed"], 20_00, True)


def test_use_of_the_new_number_is_paid_under_the_old_one():
    found = spending(100_00)
    new = replaced(found)
    ask(new, 10_00, reference="shop")

    tell("capture", found, 10_00, reference="shop", final=True)

    assert (use("shop").state, stands(found), clean()) == ("captured", (90_00, 0), True)


def test_what_was_settled_under_another_cards_reference_waits_for_staff():
    """A question is refused so; money that moved has moved all the same."""
    first, other = spending(100_00), spending(100_00)
    ask(first, 10_00, reference="shop")
    with pytest.raises(ReferenceOfAnother):
        ask(other, 10_00, reference="shop")

    tell("capture", other, 10_00, reference="shop", final=True)

    assert (use("shop").state, stands(first), stands(other)) == ("open", (100_00, 10_00), (100_00, 0))
    assert (OpenItem.objects.open().get().kind, standing("suspense"), clean()) == ("card_message_stray", -10_00, True)


def a_hundred_a_day() -> Card:
    """A card on plenty, of a member who may spend 100.00 a day with cards."""
    unlimited()
    cap(100_00, kind="card")
    return card(wallet(500_00).member, debit())


def test_limit_of_the_member_counts_what_others_approved():
    found = a_hundred_a_day()
    tell("advise", found, 60_00, reference="elsewhere")

    assert [ask(found, minor).code for minor in (40_01, 40_00, 1)] == ["member_limit", "approved", "member_limit"]
    assert clean()


def test_limit_of_the_member_counts_what_is_taken_above_what_was_approved():
    found = a_hundred_a_day()
    ask(found, 50_00, reference="stay", merchant=HOTEL)
    tell("capture", found, 80_00, reference="stay", final=True, merchant=HOTEL)

    assert [ask(found, minor).code for minor in (20_01, 20_00)] == ["member_limit", "approved"]
    assert clean()


def test_what_was_told_and_comes_to_nothing_leaves_its_room_to_others():
    found = a_hundred_a_day()
    tell("advise", found, 60_00, reference="elsewhere")
    tell("reverse", found, None, reference="elsewhere")

    assert ask(found, 100_00).code == "approved"
    assert clean()


def test_what_lapsed_and_is_taken_all_the_same_counts_once():
    found = a_hundred_a_day()
    ask(found, 60_00, reference="late")
    lapsing.lapse_due(now=clock.now() + timedelta(days=8))
    assert ask(found, 100_00, reference="meanwhile").code == "approved"
    tell("reverse", found, None, reference="meanwhile")

    tell("capture", found, 60_00, reference="late", final=True)

    assert [ask(found, minor).code for minor in (40_01, 40_00)] == ["member_limit", "approved"]
    assert clean()
