"""Merchants that there are not, by the command: every message that real ones send, answered in words."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from cards.control_rules import Entry
from cards.models import CardAuthorisation, CardMessage
from cards.services import card_pins, codes, simulating
from cards.services.life import Channel
from cards.services.simulating import PRESETS, NoSimulator, Saying, What
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.vault import Secret
from tests.cards.factories import card, debit
from tests.cards.using import debt, loaded, spending, stands, use
from tests.factories import cny
from tests.members.factories import member
from tests.verified import clean
from tests.wallets.rates import told as rate

pytestmark = pytest.mark.django_db


def said(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("card_message", *(str(each) for each in arguments), stdout=out)
    return out.getvalue().splitlines()


def test_merchant_asks_takes_and_gives_back():
    found = spending(100_00)
    about = (found.public_id, "30", "--reference", "r1")

    asked = said("authorise", *about, "--message", "m1")
    receipt = CardMessage.objects.get().receipt.pk
    assert asked == [
        "reference r1, message m1",
        f"approved; receipt {receipt}",
        "approved 30.00 CNY, at the merchant 30.00 CNY",
        "the use stands as approved",
        "available 70.00 CNY",
    ]
    assert said("authorise", *about, "--message", "m1")[1] == f"approved, as before; receipt {receipt}"
    assert said("capture", *about, "--message", "m2", "--final") == [
        "reference r1, message m2",
        "taken note of",
        "the use stands as paid",
        "available 70.00 CNY",
    ]
    assert said("capture", *about, "--message", "m2", "--final")[1] == "taken note of, as before"
    assert said("refund", *about)[2:] == ["the use stands as refunded", "available 100.00 CNY"]
    assert said("reverse-refund", found.public_id, "10", "--reference", "r1")[2:] == [
        "the use stands as partly refunded",
        "available 90.00 CNY",
    ]
    assert (stands(found), clean()) == ((90_00, 0), True)


def test_hotel_asks_for_more_and_less_and_for_nothing():
    found = spending(500_00)
    about = ("--reference", "stay")

    assert said("authorise", found.public_id, "100", *about, "--at", "hotel")[-1] == "available 385.00 CNY"
    assert said("increment", found.public_id, "50", *about)[-1] == "available 327.50 CNY"
    assert use("stay").merchant == "sim-hotel"
    assert said("reverse", found.public_id, "50", *about)[2] == "the use stands as approved"
    assert said("reverse", found.public_id, *about)[2:] == ["the use stands as cancelled", "available 500.00 CNY"]
    assert clean()


def test_what_was_approved_elsewhere_and_taken_beyond_what_there_is_becomes_a_debt():
    found = loaded(20_00)

    assert said("advise", found.public_id, "15", "--reference", "a")[-1] == "available 5.00 CNY"
    told = said("capture", found.public_id, "25", "--reference", "a", "--final")

    assert told[1:] == ["taken note of", "5.00 CNY became a debt of the member's", "the use stands as paid", told[-1]]
    assert (told[-1], debt(found), clean()) == ("available 0.00 CNY", 5_00, True)


def test_declined_says_why():
    found = spending(10_00)

    told = said("authorise", found.public_id, "11")

    assert told[1].startswith("declined: there is too little on it; receipt ")
    assert told[2:] == ["the use stands as declined", "available 10.00 CNY"]


def test_part_of_it_would_do():
    assert said("authorise", spending(10_00).public_id, "11", "--partial")[2] == (
        "approved 10.00 CNY, at the merchant 10.00 CNY"
    )


def test_card_is_named_by_number_or_by_its_member_and_last_four():
    found = spending(100_00)
    number = found.number.decrypt().reveal()
    user = found.member.user

    for name in ((number,), (f"{number[:4]} {number[4:]}",), *((found.last_four, "--member", user.email),)):
        assert said("authorise", name[0], "1", *name[1:])[1].startswith("approved")
    handle = ("--member", found.member.handle or found.member_id)
    assert said("authorise", found.last_four, "1", *handle)[1].startswith("approved")
    assert CardAuthorisation.objects.filter(card=found).count() == 4


def test_number_of_nobody_is_answered_too():
    told = said("authorise", "4000001299999999", "1")
    assert (told[1].startswith("declined: there is no such card"), told[-1]) == (True, "the card is none of ours")
    assert said("capture", "4000001299999999", "1")[1:] == ["taken note of", "the card is none of ours"]
    assert clean()


def test_page_fills_in_what_stands_on_the_card():
    found = spending(100_00)

    assert said("authorise", found.public_id, "1", "--page", "--reference", "p")[1].startswith("approved")
    assert use("p").entry == "ecommerce"
    right = codes.of(found, clock.now()).reveal()
    wrong = "".join(str((int(digit) + 1) % 10) for digit in right)
    assert "another security code" in said("authorise", found.public_id, "1", "--page", "--code", wrong)[1]
    assert "another expiry date" in said("authorise", found.public_id, "1", "--page", "--expires", "2019-03")[1]
    assert "no security code" in said("authorise", found.public_id, "1", "--entry", "ecommerce")[1]


def test_abroad_it_is_in_euros_all_along():
    rate("EUR", "CNY", "8")
    found = spending(1000_00)

    assert said("authorise", found.public_id, "10", "--at", "abroad", "--reference", "e")[2] == (
        "approved 80.00 CNY, at the merchant 10.00 EUR"
    )
    said("capture", found.public_id, "10", "--reference", "e", "--final")
    said("capture", found.public_id, "10", "--at", "abroad", "--currency", "USD", "--settled", "9 EUR")

    assert list(CardMessage.objects.order_by("at", "pk").values_list("merchant_currency", flat=True)) == [
        *("EUR", "EUR", "USD")
    ]
    assert stands(found) == (1000_00 - 80_00 - 72_00, 0)


def test_merchant_is_described_in_parts():
    found = spending(10_00)
    terms = ("--merchant", "m9", "--name", "Bar", "--category", "5813", "--country", "HK", "--entry", "chip")

    said("authorise", found.public_id, "1", "--reference", "x", *terms)

    row = use("x")
    assert (row.merchant, row.merchant_name, row.category, row.country, row.entry) == (
        *("m9", "Bar", "5813", "HK", "chip"),
    )


@pytest.mark.parametrize("name", PRESETS)
def test_each_merchant_can_be_asked_for(name):
    rate("EUR", "CNY", "8")
    found = spending(1000_00)

    told = said("authorise", found.public_id, "1", "--at", name)

    asks_for_a_pin = PRESETS[name].entry == Entry.ATM
    assert told[1].startswith("declined: no PIN was given" if asks_for_a_pin else "approved")


def test_machine_gives_cash_for_the_pin():
    found = spending(1000_00)
    by = Actor.of(found.member.user)
    card_pins.set_pin(card=found, new=Secret("4071"), by=by, channel=Channel.WEB, signed_in=timedelta(0))

    assert "another PIN" in said("authorise", found.public_id, "100", "--at", "cash", "--pin", "4072")[1]
    assert said("authorise", found.public_id, "100", "--at", "cash", "--pin", "4071")[-1] == "available 900.00 CNY"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("authorise", "{card}", "twelve"), "“twelve” is not an amount"),
        (("authorise", "{card}"), "amount"),
        (("capture", "{card}"), "amount"),
        (("authorise", "nothing", "1"), "no such card"),
        (("authorise", str(uuid4()), "1"), "no such card"),
        (("authorise", "0000", "1", "--member", "{member}"), "no such card"),
        (("authorise", "1234", "1", "--member", "nobody"), "no such member"),
        (("authorise", "1234", "1", "--member", "9" * 30), "no such member"),
        (("authorise", "{card}", "1", "--category", "12"), "kind of merchant"),
        (("authorise", "{card}", "1", "--country", "China"), "country"),
        (("authorise", "{card}", "1", "--expires", "soon"), "2027-03"),
        (("authorise", "{card}", "1", "--expires", "2027-13"), "expiry date"),
        (("capture", "{card}", "1", "--settled", "1"), "currency"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, why):
    found = card(member(), debit())
    known = {"card": found.public_id, "member": found.member_id}

    with pytest.raises(CommandError) as refusal:
        said(*(each.format(**known) for each in arguments))

    assert why.lower() in str(refusal.value).lower()


def test_same_message_with_another_amount_is_refused():
    found = spending(10_00)
    said("authorise", found.public_id, "1", "--message", "m", "--reference", "r")

    with pytest.raises(CommandError, match="said something else"):
        said("authorise", found.public_id, "2", "--message", "m", "--reference", "r")


def test_several_cards_that_end_alike_are_told_apart_by_id(unprotected):
    of = member()
    first, second = card(of, debit(), reference="a"), card(of, debit(), reference="b")
    with unprotected():
        type(first).objects.filter(pk=second.pk).update(last_four=first.last_four)

    with pytest.raises(CommandError, match="2 cards"):
        said("authorise", first.last_four, "1", "--member", of.pk)


def test_outside_of_a_sandbox_nobody_is_simulated(settings):
    found = spending(10_00)
    settings.SANDBOX = False

    with pytest.raises(CommandError, match="SANDBOX"):
        said("authorise", found.public_id, "1")
    with pytest.raises(NoSimulator):
        simulating.say(what=What.REFUND, saying=Saying(card=found, amount=cny(1)), by=SYSTEM)

    assert not CardMessage.objects.exists()
