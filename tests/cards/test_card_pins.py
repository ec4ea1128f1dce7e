"""The PIN of a card: set for a proof, asked for where cash is given, guessed at three times and no more."""

from datetime import timedelta

import pytest

from cards.control_rules import Entry
from cards.models import Card, CardPin
from cards.services import card_pins, ending, life
from cards.services.card_pins import InvalidCardPin
from cards.services.life import CardEnded, Channel, NoSuchCard
from cards.services.reveals import ProofMissing
from members.models import Notice
from paymentsite.core import verification
from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.cards.using import CASH, ask, spending

pytestmark = pytest.mark.django_db

PIN = Secret("4071")


def by(of: Card) -> Actor:
    return Actor.of(of.member.user)


def put(of: Card, pin: Secret = PIN) -> CardPin:
    return card_pins.set_pin(card=of, new=pin, by=by(of), channel=Channel.WEB, signed_in=timedelta(0))


def cash(of: Card, pin: Secret | None = PIN) -> str:
    return ask(of, 1_00, merchant=CASH, entry=Entry.ATM, pin=pin).code


def found() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=["cards.pins_are_set"]).findings]


def test_cash_takes_the_pin_and_a_shop_may_ask_for_it():
    card = spending()
    assert (cash(card, None), cash(card)) == ("pin_missing", "pin_unset")
    put(card)

    assert (cash(card), cash(card, Secret("4072"))) == ("approved", "wrong_pin")
    assert (ask(card, 1).code, ask(card, 1, pin=PIN).code) == ("approved", "approved")
    assert Notice.objects.filter(member=card.member, kind="card_pin_set").count() == 1
    assert "4071" not in "".join(map(str, AuditEntry.objects.values_list("after", flat=True)))


def test_third_wrong_guess_in_a_row_locks_until_a_new_one_is_set():
    card = spending()
    put(card)
    wrong = Secret("9999")
    assert [cash(card, wrong), cash(card, wrong), cash(card), cash(card, wrong)] == [
        "wrong_pin",
        "wrong_pin",
        "approved",
        "wrong_pin",
    ]

    assert [cash(card, wrong), cash(card, wrong), cash(card), cash(card, wrong)] == [
        "wrong_pin",
        "wrong_pin",
        "pin_locked",
        "pin_locked",
    ]
    put(card, Secret("204713"))
    assert cash(card, Secret("204713")) == "approved"


def test_question_that_nobody_looked_at_the_pin_of_forgets_no_guess():
    card = spending()
    put(card)
    for _ in range(2):
        cash(card, Secret("9999"))
    life.freeze(card=card, by=by(card), channel=Channel.WEB)
    assert cash(card) == "card_frozen"
    life.unfreeze(card=card, by=by(card), channel=Channel.WEB)

    assert (cash(card, Secret("9999")), cash(card)) == ("wrong_pin", "pin_locked")


@pytest.mark.parametrize("pin", ["", "123", "1111", "1234", "9876", "12a4", "１２３４", "1234567", "000000"])
def test_pin_that_anybody_would_guess_is_none(pin):
    with pytest.raises(InvalidCardPin):
        put(spending(), Secret(pin))


def test_only_its_member_sets_it_and_only_for_a_proof():
    card, other = spending(), spending()

    with pytest.raises(NoSuchCard):
        card_pins.set_pin(card=card, new=PIN, by=by(other), channel=Channel.WEB, signed_in=timedelta(0))
    with pytest.raises(ProofMissing):
        card_pins.set_pin(card=card, new=PIN, by=by(card), channel=Channel.WEB)
    ending.close(card=card, by=by(card), channel=Channel.WEB)
    with pytest.raises(CardEnded):
        put(card)
    assert not CardPin.objects.exists()


def test_pins_that_nobody_set_or_that_are_gone_or_do_not_open_are_found():
    card, other = spending(), spending()
    put(card)
    assert found() == []

    CardPin.objects.filter(card=card).update(card=other)
    assert set(found()) == {f"card {card.pk}", f"card {other.pk}"}
