"""What was written off, and its merchant gives back after all: it makes our loss good, and nobody gains by it."""

import pytest

from cards.models import Card
from cards.services import settling
from cards.verify import settling as checks
from paymentsite.core import verification
from paymentsite.core.money import Money
from paymentsite.ledger.models import Posting
from tests.cards.leftovers import items, owing, standing, told_last
from tests.cards.using import debt, rate, spending, stands, tell
from tests.factories import fund
from tests.verified import clean
from tests.wallets.deciding import decide, staff

pytestmark = pytest.mark.django_db


def write_off(found: Card) -> None:
    decide(settling.write_off_debt(member=found.member, currency="CNY", by=staff(), reason="cannot be had"))


def lost() -> int:
    return -standing("losses")


def had(found: Card, *refunds: int, reference: str = "owed") -> tuple[int, int]:
    """What is on the card's account, and what we lost, once so much came back."""
    for minor in refunds:
        tell("refund", found, minor, reference=reference)
    return stands(found)[0], lost()


def test_it_is_ours_and_its_member_is_told():
    found = owing(30_00)
    write_off(found)

    assert had(found, 30_00) == (0, 0)
    assert told_last(found.member) == (
        "Corner Shop gave back 30.00 CNY. You owed us that and we had written it off, so it stays with us."
    )
    assert (debt(found), clean()) == (0, True)


def test_what_they_paid_themselves_is_theirs():
    found = owing(30_00)
    fund(found.account, 12_00)
    write_off(found)

    assert had(found, 10_00) == (0, 8_00)
    assert had(found, 20_00) == (12_00, 0)
    assert told_last(found.member) == "Corner Shop gave back 12.00 CNY."
    assert clean()


def test_taken_back_again_it_is_our_loss_again():
    found = owing(30_00)
    fund(found.account, 12_00)
    write_off(found)
    had(found, 30_00)

    tell("reverse_refund", found, 30_00, reference="owed")

    assert (stands(found), lost(), debt(found)) == ((0, 0), 18_00, 0)
    assert told_last(found.member) == "Corner Shop took back 12.00 CNY that it had given back."
    assert had(found, 18_00) == (0, 0)
    assert clean()


def test_what_is_paid_is_of_the_oldest_and_what_is_written_off_of_the_rest():
    found = owing(10_00)
    tell("capture", found, 20_00, reference="later", final=True)
    fund(found.account, 15_00)
    write_off(found)

    assert had(found, 10_00) == (10_00, 15_00)
    assert had(found, 20_00, reference="later") == (15_00, 0)
    assert clean()


def test_what_was_bought_otherwise_makes_no_loss_good():
    found = owing(10_00)
    write_off(found)
    fund(found.account, 50_00)
    tell("capture", found, 20_00, reference="paid", final=True)

    assert had(found, 20_00, reference="paid") == (50_00, 10_00)
    assert clean()


def test_what_is_settled_in_another_currency_is_counted_in_the_cards():
    rate("USD", "CNY", "7")
    found = spending(0)
    tell("capture", found, Money(10_00, "USD"), reference="abroad", final=True)
    owed = debt(found)
    write_off(found)
    rate("USD", "CNY", "6")

    tell("refund", found, Money(10_00, "USD"), reference="abroad")

    assert (stands(found), lost(), items()) == ((0, 0), owed - 60_00, set())
    assert clean()


def other_use() -> None:
    Posting.objects.filter(target__code="losses").update(amount_minor=31_00)


def nobodys() -> None:
    Posting.objects.filter(source__code="card debt").update(amount_minor=29_00)


@pytest.mark.parametrize("plant", [other_use, nobodys])
def test_more_made_good_than_was_lost_is_found(unprotected, plant):
    found = owing(30_00)
    write_off(found)
    had(found, 30_00)
    name = "cards.losses_are_made_good"
    assert name.partition(".")[2] in vars(checks)

    with unprotected():
        plant()

    [finding] = verification.discover().run(only=[name]).findings
    assert finding.subject == f"use {found.authorisations.get().pk}"
