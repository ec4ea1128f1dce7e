"""Pumps ask for one unit and say afterwards what was filled: they are judged by what is set aside for that."""

from collections.abc import Iterator

import pytest

from cards.models import DecisionReceipt
from cards.services.uses import source_of
from members.models import LimitUse
from members.services import limits
from paymentsite.core.money import Money
from tests.cards.test_use_attacks import put
from tests.cards.using import PUMP, ask, debt, loaded, rate, spending, stands, tell, use
from tests.members.factories import unlimited
from tests.members.limiting import cap
from tests.verified import clean

pytestmark = pytest.mark.django_db


def pump(found, reference: str, amount: Money | int = 1_00, **more) -> str:
    return ask(found, amount, reference=reference, merchant=PUMP, **more).code


def filled(found, minor: int, reference: str) -> None:
    tell("capture", found, minor, reference=reference, merchant=PUMP, final=True)


def taken() -> Iterator[int]:
    """What the member's own limits count of all uses."""
    sources = LimitUse.objects.order_by("pk").values_list("source", flat=True)
    return limits.taken(sources)


@pytest.mark.parametrize("partial", [False, True])
def test_who_could_not_pay_a_full_tank_fills_none(partial):
    found = loaded(99_99)

    assert pump(found, "p", partial=partial) == "insufficient_funds"

    [check] = [row for row in DecisionReceipt.objects.get().checks if not row["passed"]]
    assert check["asked"] == Money(100_00, "CNY").to_wire()
    assert (stands(found), debt(found), clean()) == ((99_99, 0), 0, True)


def test_limit_of_the_card_lets_as_many_tanks_be_filled_as_fit():
    found = spending(1000_00)
    put(found, ("amount", "day", 150_00))

    assert [pump(found, "p1"), pump(found, "p2")] == ["approved", "card_limit"]
    assert use("p1").counted_minor == 100_00

    filled(found, 40_00, "p1")
    assert use("p1").counted_minor == 40_00
    assert [pump(found, "p3"), pump(found, "p4")] == ["approved", "card_limit"]
    assert (stands(found), clean()) == ((960_00, 100_00), True)


def test_pump_that_is_cancelled_counts_nothing():
    found = spending(1000_00)
    put(found, ("amount", "day", 100_00))
    pump(found, "p1")

    tell("reverse", found, None, reference="p1", merchant=PUMP)

    assert (use("p1").counted_minor, pump(found, "p2"), clean()) == (0, "approved", True)


def test_limit_of_the_member_is_asked_for_a_full_tank_and_takes_what_was_filled():
    found = spending(1000_00)
    unlimited()
    cap(150_00, measure="amount", period="day", currency="CNY", member=found.member)

    assert pump(found, "p1") == "approved"
    assert taken() == 1_00
    filled(found, 60_00, "p1")

    assert taken() == 60_00
    assert (pump(found, "p2"), clean()) == ("member_limit", True)


def test_pump_abroad_is_asked_for_in_the_cards_currency():
    rate("USD", "CNY", "7")
    found = spending(1000_00)

    assert pump(found, "p", Money(1_00, "USD")) == "approved"

    assert (stands(found), use("p").counted_minor, source_of(use("p").messages.get().pk)) == (
        (1000_00, 100_00),
        100_00,
        LimitUse.objects.get().source,
    )
