"""A day of a card: asked for, taken, given back; on a debit card and on a prepaid one."""

import pytest

from cards.models import DecisionReceipt
from paymentsite.core import verification
from tests.cards import using
from tests.cards.using import HOTEL, ask, loaded, more, spending, stands, tell, use

pytestmark = [pytest.mark.django_db, pytest.mark.story]


def clean():
    found = verification.discover().run().findings
    assert found == [], found


@pytest.mark.parametrize("make", [spending, loaded])
def test_use_from_the_question_to_the_refund(make):
    found = make(100_00)
    answer = ask(found, 30_00, reference="lunch")
    assert (answer.outcome, answer.code, answer.approved.minor, answer.available.minor) == (
        "approved",
        "approved",
        30_00,
        70_00,
    )
    assert stands(found) == (100_00, 30_00)
    clean()
    assert tell("capture", found, 28_00, reference="lunch", final=True).state == "captured"
    assert stands(found) == (72_00, 0)
    clean()
    assert tell("refund", found, 8_00, reference="lunch").state == "part_refunded"
    assert stands(found) == (80_00, 0)
    assert tell("reverse_refund", found, 3_00, reference="lunch").state == "part_refunded"
    assert stands(found) == (77_00, 0)
    clean()
    receipt = DecisionReceipt.objects.get(pk=answer.receipt)
    assert [check["check"] for check in receipt.checks][-1] == "funds"


def test_hotel_sets_more_aside_asks_for_more_and_takes_less():
    found = spending(200_00)
    assert ask(found, 100_00, reference="stay", merchant=HOTEL).outcome == "approved"
    assert stands(found) == (200_00, 115_00)
    assert more(found, 20_00, reference="stay", merchant=HOTEL).outcome == "approved"
    assert stands(found) == (200_00, 138_00)
    tell("capture", found, 50_00, reference="stay", merchant=HOTEL)
    assert (stands(found), use("stay").state) == ((150_00, 70_00), "part_captured")
    tell("reverse", found, 30_00, reference="stay", merchant=HOTEL)
    assert stands(found) == (150_00, 40_00)
    clean()
    tell("capture", found, 45_00, reference="stay", merchant=HOTEL, final=True)
    assert (stands(found), use("stay").state) == ((105_00, 0), "captured")
    clean()


def test_what_nobody_asked_for_is_booked_and_becomes_a_debt_that_is_paid_first():
    found = spending(10_00)
    taken = tell("capture", found, 35_00, reference="force", final=True)
    assert (taken.state, taken.debt.minor, stands(found)) == ("captured", 25_00, (0, 0))
    clean()
    tell("refund", found, 30_00, reference="force")
    assert stands(found) == (5_00, 0)
    clean()
    assert using.ask(found, 6_00).code == "insufficient_funds"
