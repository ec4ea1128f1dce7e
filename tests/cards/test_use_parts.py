"""Parts of a use: cancelled, taken and given back in the share that they are of it at the merchant, whatever the fees
and the rates of the days."""

from datetime import timedelta

import pytest

from cards.messages import Merchant
from cards.models import Card, CardMessage
from paymentsite.core import clock
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from tests.cards.factories import card, debit
from tests.cards.using import ask, more, rate, stands, tell, use
from tests.factories import cny
from tests.wallets.factories import wallet

pytestmark = pytest.mark.django_db

# Gives what is like cash, and asks for no PIN.
SENDER = Merchant(id="sender-1", name="Money Sender", category="4829", country="CN")
ABROAD = Merchant(id="port-1", name="Librairie du Port", category="5942", country="FR")
USUAL = {"reference": "trip", "merchant": ABROAD}
SENT = {"reference": "sent", "merchant": SENDER}


def costly(minor: int = 1_000_00) -> Card:
    """Cash costs 5.00 and a hundredth, another currency two hundredths."""
    return card(wallet(minor).member, debit(cash_fee_minor=5_00, cash_fee_bp=100, fx_margin_bp=200))


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def test_what_costs_once_costs_once_however_many_parts_there_are():
    found = costly()

    assert ask(found, 100_00, **SENT).approved == cny(106_00)
    assert more(found, 50_00, **SENT).approved == cny(50_50)
    tell("capture", found, 60_00, **SENT)
    tell("capture", found, 90_00, **SENT)

    fees = CardMessage.objects.filter(kind="capture").order_by("pk").values_list("fee_minor", flat=True)
    assert (list(fees), stands(found)) == ([5_60, 90], (1_000_00 - 156_50, 0))
    assert use("sent").state == "captured"


def test_cancelled_is_a_share_of_what_was_set_aside_fee_and_all():
    found = costly()
    ask(found, 100_00, **SENT)

    tell("reverse", found, 25_00, **SENT)
    assert stands(found) == (1_000_00, 79_50)
    tell("reverse", found, 75_00, **SENT)
    assert (stands(found), use("sent").state) == ((1_000_00, 0), "reversed")


def test_in_another_currency_half_is_half_at_whatever_rate_it_is_taken():
    found = costly()
    rate("EUR", "CNY", "8")
    ask(found, euro(10_00), **USUAL)
    assert stands(found) == (1_000_00, 81_60)

    rate("EUR", "CNY", "7")
    tell("capture", found, euro(5_00), **USUAL)
    assert (stands(found), use("trip").state) == ((1_000_00 - 35_70, 40_80), "part_captured")
    tell("capture", found, euro(5_00), **USUAL)
    # All of it was taken, though less than was set aside.
    assert (stands(found), use("trip").state) == ((1_000_00 - 71_40, 0), "captured")


def test_in_another_currency_all_that_is_cancelled_is_all():
    found = costly()
    rate("EUR", "CNY", "8")
    ask(found, euro(10_00), **USUAL)

    rate("EUR", "CNY", "7")
    tell("reverse", found, euro(4_00), **USUAL)
    assert stands(found) == (1_000_00, 48_96)
    tell("reverse", found, euro(6_00), **USUAL)
    assert (stands(found), use("trip").state) == ((1_000_00, 0), "reversed")


def test_what_was_approved_may_cost_more_when_it_is_taken_without_anybody_having_to_look():
    found = costly()
    rate("EUR", "CNY", "8")
    ask(found, euro(10_00), **USUAL)

    rate("EUR", "CNY", "9")
    tell("capture", found, euro(10_00), **USUAL, final=True)
    assert stands(found) == (1_000_00 - 91_80, 0)
    assert not OpenItem.objects.exists()
    tell("capture", found, euro(1), **USUAL)
    assert [item.why for item in OpenItem.objects.all()] == [
        "Librairie du Port took 10.01 EUR, approved was 10.00 EUR."
    ]


def test_given_back_at_another_rate_all_is_all():
    found = costly()
    rate("EUR", "CNY", "8")
    ask(found, euro(10_00), **USUAL)
    tell("capture", found, euro(10_00), **USUAL, final=True)

    rate("EUR", "CNY", "7")
    tell("refund", found, euro(4_00), **USUAL)
    assert use("trip").state == "part_refunded"
    tell("refund", found, euro(6_00), **USUAL)
    assert (stands(found), use("trip").state) == ((1_000_00 - 81_60 + 70_00, 0), "refunded")


def test_part_may_be_told_in_another_currency_than_was_asked_in():
    found = costly()
    rate("EUR", "CNY", "8")
    rate("CNY", "EUR", "0.125")
    ask(found, euro(10_00), **USUAL)

    tell("capture", found, cny(40_00), **USUAL)
    assert (stands(found), use("trip").state) == ((1_000_00 - 40_00, 40_80), "part_captured")


def test_what_is_asked_anew_after_it_was_declined_counts_from_then():
    found = costly(10_00)
    first = clock.now()
    assert ask(found, 20_00, reference="again").code == "insufficient_funds"

    with clock.standing(first + timedelta(days=3)):
        ask(found, 5_00, reference="again")
    kept = use("again")
    assert (kept.at, kept.expires_at) == (first + timedelta(days=3), first + timedelta(days=10))
