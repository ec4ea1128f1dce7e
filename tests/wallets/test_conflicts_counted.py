"""What really moved counts against limits and takes its room, whatever was asked for; and members hear of it."""

import pytest

from members.models import LimitUse, Notice
from members.services import notices
from members.services.limits import BalanceLimitExceeded, LimitExceeded
from paymentsite.core import verification
from paymentsite.core.money import Money
from tests.members.limiting import cap
from tests.wallets.deciding import clean, decide, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, top_up, wallet, withdraw
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, TopUp
from wallets.services import conflicts, outcomes
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def say(order: GatewayOrder, outcome: Outcome, moved: Money | None = None) -> None:
    outcomes.settle(
        order=order, answer=Answer(outcome=outcome, amount=moved), origin=Origin.QUERY, gateway=order.gateway
    )
    order.refresh_from_db()


def accepted(order: GatewayOrder, moved: Money) -> None:
    say(order, Outcome.SUCCEEDED, moved)
    decide(conflicts.accept(order=order, by=staff(), reason="seen there"))
    order.refresh_from_db()


def counted(kind: str) -> dict[str, int]:
    """What counts of each currency."""
    uses = LimitUse.objects.filter(kind=kind, given_back_at=None).order_by("pk")
    found: dict[str, int] = {}
    for use in uses:
        found[use.currency] = found.get(use.currency, 0) + use.amount_minor
    return found


def test_more_that_came_leaves_less_of_the_limit():
    purse = wallet()
    cap(100_00, kind="top_up", currency="EUR")
    accepted(top_up(purse, 10_16), eur(95_00))

    with pytest.raises(LimitExceeded):
        top_up(purse, 5_01, reference="r2")

    assert (counted("top_up"), holds(purse), clean()) == ({"EUR": 95_00}, eur(95_00), True)


def test_what_waits_for_staff_takes_the_room_that_it_needs():
    purse = wallet()
    cap(100_00, measure="balance", period="always", currency="EUR", member=purse.member)
    order = top_up(purse, 10_16)
    say(order, Outcome.SUCCEEDED, eur(95_00))

    with pytest.raises(BalanceLimitExceeded):
        top_up(purse, 5_01, reference="r2")
    decide(conflicts.accept(order=order, by=staff(), reason="seen there"))

    assert (holds(purse), clean()) == (eur(95_00), True)


@pytest.mark.parametrize(("begin", "kind"), [(top_up, "top_up"), (withdraw, "withdrawal")], ids=["came", "went"])
def test_what_moved_in_another_currency_counts_in_that(begin, kind):
    accepted(begin(wallet(50_00), 10_02), Money(9_00, "USD"))

    assert (counted(kind), clean()) == ({"USD": 9_00}, True)


@pytest.mark.parametrize("moved", [eur(12_00), Money(9_00, "USD")])
def test_what_came_back_counts_no_more(moved):
    order = withdraw(wallet(50_00), 10_02)
    accepted(order, moved)

    say(order, Outcome.RETURNED)

    assert (counted("withdrawal"), clean()) == ({}, True)


def test_less_that_moved_keeps_what_was_taken_of_the_limit():
    accepted(top_up(wallet(), 10_16), eur(9_00))

    assert (counted("top_up"), clean()) == ({"EUR": 10_16}, True)


def test_member_hears_that_something_else_came_and_that_it_was_taken_back():
    order = top_up(wallet(), 10_16)
    accepted(order, eur(9_00))
    say(order, Outcome.RETURNED)

    assert [notices.sentence(each) for each in Notice.objects.filter(kind__startswith="top_up").order_by("pk")] == [
        "9.00 EUR came for your top-up of 10.16 EUR. We are looking into it.",
        "9.00 EUR came into your wallet by top-up.",
        "Your top-up of 9.00 EUR was taken back by who paid it out. We are looking into it.",
    ]


def nothing_taken() -> None:
    LimitUse.objects.filter(source__endswith=":moved").delete()


def less_taken() -> None:
    LimitUse.objects.filter(source__endswith=":moved").update(amount_minor=1)


def of_nothing() -> None:
    TopUp.objects.update(moved_minor=10_16)


@pytest.mark.parametrize("plant", [nothing_taken, less_taken, of_nothing])
def test_what_moved_and_counts_otherwise_is_found(unprotected, plant):
    order = top_up(wallet(), 10_16)
    accepted(order, eur(95_00))

    with unprotected():
        plant()

    found = verification.discover().run(only=["wallets.moved_otherwise_counts"]).findings
    assert [finding.subject.removesuffix(":moved").replace(":", " ") for finding in found] == [
        f"top_up {order.public_id}"
    ]
