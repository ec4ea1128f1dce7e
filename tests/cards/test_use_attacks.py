"""What somebody would try with questions and messages: nothing more is to be had by it."""

from datetime import timedelta
from typing import Any

import pytest

from cards.control_rules import Entry
from cards.models import Card, CardMessage
from cards.services import controls, ending, issuing, lapsing, life
from cards.services.life import Channel
from members.models import LimitUse, Member
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from tests.cards.factories import card, debit
from tests.cards.using import CASH, ask, debt, loaded, more, online, spending, stands, tell, use
from tests.members.limiting import cap, someone
from tests.wallets.factories import wallet

pytestmark = [pytest.mark.attack, pytest.mark.django_db]

WRONG = Secret("00x")


def by(of: Card) -> Actor:
    return Actor.of(of.member.user)


def put(subject: Card, *caps: tuple[str, str, int]) -> None:
    terms = {"caps": [{"measure": measure, "span": span, "most": most} for measure, span, most in caps]}
    controls.set_for(subject=subject, terms=terms, by=by(subject), channel=Channel.WEB)


def clean() -> bool:
    return verification.discover().run(only=["cards", "ledger"]).findings == []


def test_increment_of_nothing_is_a_question_like_every_other():
    found = spending()
    put(found, ("count", "day", 1))

    assert more(found, 1_00, entry=Entry.ATM, merchant=CASH).code == "pin_missing"
    assert more(found, 1_00, entry=Entry.ECOMMERCE).code == "code_missing"
    assert online(found, 1_00, reference="x", code=WRONG).code == "wrong_code"
    assert more(found, 1_00, reference="x", entry=Entry.ECOMMERCE).code == "code_missing"
    assert (more(found, 1_00).code, more(found, 1_00).code) == ("approved", "card_limit")


def test_guesses_at_a_code_are_not_forgotten_for_what_shows_none():
    found = spending()
    for _ in range(2):
        online(found, 1, code=WRONG)
        online(found, 1, code=WRONG)
        assert ask(found, 0, entry=Entry.RECURRING).code == "approved"
    online(found, 1, code=WRONG)

    found.refresh_from_db()
    assert found.state == "blocked"


def test_another_card_in_its_place_has_no_new_limits():
    found = spending()
    put(found, ("amount", "day", 10_00), ("amount", "ever", 15_00))
    ask(found, 10_00)

    new = issuing.replace(card=found, why=issuing.Why.DAMAGED, reference="new", by=by(found), channel=Channel.WEB)
    life.activate(card=new, by=by(new), channel=Channel.WEB)

    assert ask(new, 1).code == "card_limit"
    assert {each.cap.name: each.left for each in controls.left(new, clock.now())} == {
        "amount.day": 0,
        "amount.ever": 5_00,
    }


def test_subscription_is_paid_once_a_month_whichever_card_stands_for_it():
    found = card(wallet(100_00).member, debit(), use=Card.Use.SUBSCRIPTION)
    ask(found, 10_00, reference="one")
    assert more(found, 1, reference="one").code == "other_amount"

    new = issuing.replace(card=found, why=issuing.Why.DAMAGED, reference="new", by=by(found), channel=Channel.WEB)
    life.activate(card=new, by=by(new), channel=Channel.WEB)

    assert ask(new, 10_00).code == "already_paid"


def test_whoever_flies_east_gains_no_new_day(monkeypatch):
    found = spending()
    put(found, ("amount", "day", 10_00))
    evening = clock.now().replace(hour=9, minute=0)  # five in the afternoon in Shanghai
    monkeypatch.setattr(clock, "now", lambda: evening)
    ask(found, 10_00)
    Member.objects.filter(pk=found.member_id).update(time_zone="Pacific/Kiritimati")  # eleven at night
    monkeypatch.setattr(clock, "now", lambda: evening + timedelta(hours=2))

    assert ask(found, 1).code == "card_limit"


def test_limit_of_each_use_counts_what_it_was_increased_by():
    found = spending()
    put(found, ("amount", "each", 50_00))
    ask(found, 50_00, reference="one")

    assert more(found, 1, reference="one").code == "card_limit"
    assert ask(found, 1, reference="one").code == "card_limit"


def test_part_takes_its_part_of_the_members_limits():
    holder = someone(level=1)
    cap(10**9, measure="balance", period="always")
    cap(10**9, kind="transfer")
    cap(100_00, kind="card")
    wallet(30_00, of=holder)
    found = card(holder, debit())

    assert ask(found, 90_00, partial=True).outcome == "partial"
    assert LimitUse.objects.get(kind="card").amount_minor == 30_00
    assert debit(cash_fee_minor=1).pk


def test_part_of_what_has_a_fee_is_not_approved():
    found = card(wallet(55_00).member, debit(cash_fee_minor=5_00))

    assert ask(found, 100_00, partial=True, merchant=CASH, entry=Entry.CHIP).outcome == "declined"


def test_what_was_cancelled_before_it_was_asked_takes_nothing_of_limits():
    found = spending()
    tell("reverse", found, 50_00, reference="x")

    ask(found, 50_00, reference="x")

    assert (use("x").state, stands(found)) == ("reversed", (100_00, 0))
    assert LimitUse.objects.get(kind="card").given_back_at is not None
    assert clean()


def test_rest_that_cannot_go_to_the_wallet_keeps_no_message_from_being_taken_in():
    found, other = loaded(), spending()
    ask(found, 50_00, reference="x")
    ask(other, 1_00, reference="y")
    ending.close(card=found, by=by(found), channel=Channel.WEB)
    ledger.set_status(account=found.wallet.account, status=Balance.Status.FROZEN, by=SYSTEM, reason="test")

    assert lapsing.lapse_due(now=clock.now() + timedelta(days=8)) == 2
    assert (use("x").state, use("y").state) == ("expired", "expired")
    assert OpenItem.objects.filter(kind="card_rest_unswept").count() == 1
    assert tell("capture", found, 20_00, reference="x", final=True).state == "captured"
    assert debt(found) == 0


def test_use_whose_lapse_fails_keeps_no_other_waiting(monkeypatch):
    bad, good = spending(), spending()
    ask(bad, 1_00, reference="bad")
    ask(good, 1_00, reference="good")
    take = lapsing.lapse
    failing = use("bad").pk

    def lapse(key: Any, now: Any) -> bool:
        if key == failing:
            raise RuntimeError("a bug")
        return take(key, now)

    with monkeypatch.context() as patch:
        patch.setattr(lapsing, "lapse", lapse)
        assert lapsing.lapse_due(now=clock.now() + timedelta(days=8)) == 1
    assert (use("bad").state, use("good").state) == ("open", "expired")
    stuck = OpenItem.objects.open().filter(kind="card_use_stuck")
    assert stuck.count() == 1
    lapsing.lapse_due(now=clock.now() + timedelta(days=8))
    assert (use("bad").state, stuck.count()) == ("expired", 0)


def test_what_nothing_can_count_is_kept_for_somebody():
    found = spending()

    for _ in range(2):
        tell("capture", found, Money(10_01, "KES"), message_id="k", reference="k")

    assert CardMessage.objects.get(message_id="k").journal is not None
    assert OpenItem.objects.filter(kind="card_message_stray").count() == 1
    assert stands(found) == (100_00, 0)


def test_capture_may_name_the_card_that_stands_in_the_place_of_the_one_that_was_asked():
    found = spending()
    ask(found, 10_00, reference="x")
    new = issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=by(found), channel=Channel.WEB)

    assert tell("capture", new, 10_00, reference="x", final=True).state == "captured"
    assert (stands(found), clean()) == ((90_00, 0), True)


def test_ids_of_processors_that_read_alike_are_two():
    found = spending()
    strange = {"number": Secret("4000001299999999")}

    tell("capture", found, 1_00, processor="a:b", message_id="c", **strange)
    tell("capture", found, 1_00, processor="a", message_id="b:c", **strange)

    assert CardMessage.objects.filter(journal__isnull=False).count() == 2
