"""What orders cost: taken when they succeed, given back when they do not, together with what they took of limits."""

from datetime import timedelta

import pytest

from members.models import LimitUse
from members.services.limits import LimitExceeded
from paymentsite.core import clock, verification
from paymentsite.core.ids import EPOCH
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import InsufficientFunds
from tests.members.limiting import cap
from tests.terms import told
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, let_time_pass, top_up, wallet, withdraw
from wallets.gateways.base import Answer, Outcome
from wallets.models import FeeRule, FeeUse, TopUp
from wallets.services import bookings, outcomes, wallets
from wallets.services.orders import Origin
from wallets.services.top_ups import FeeTooHigh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    for kind, fixed in (("top_up", 30), ("withdrawal", 50)):
        told(FeeRule.objects.create(kind=kind, currency="EUR", fixed_minor=fixed, starts_at=EPOCH, set_by="test:1"))


def earned() -> int:
    return books.standing(ledger.house("fees", "EUR")).posted.minor


def given_back() -> bool:
    """Whether nothing counts any more of what was taken of limits and free acts."""
    taken = LimitUse.objects.filter(given_back_at=None).exists()
    return not (taken or FeeUse.objects.filter(given_back_at=None).exists())


def clean() -> bool:
    return not verification.discover().run(only=["wallets", "ledger"]).findings


def test_top_up_that_its_fee_would_eat_is_refused():
    with pytest.raises(FeeTooHigh):
        top_up(wallet(), 30)

    assert [kind.objects.count() for kind in (TopUp, FeeUse, LimitUse)] == [0, 0, 0]


def test_fee_is_taken_out_of_a_top_up():
    purse = wallet()

    top_up(purse, 1_000)

    assert (holds(purse), earned(), given_back(), clean()) == (eur(970), 30, False, True)
    assert books.standing(bookings.clearing("sandbox", "EUR")).posted == eur(-1_000)


def test_failed_top_up_costs_nothing():
    purse = wallet()

    top_up(purse, 1_001)

    assert (holds(purse), earned(), given_back(), clean()) == (eur(0), 0, True, True)


def test_top_up_that_came_after_all_costs_nothing():
    purse = wallet()

    top_up(purse, 1_015)
    let_time_pass(timedelta(hours=1))

    assert (holds(purse), earned(), clean()) == (eur(1_015), 0, True)
    assert [use.given_back_at is None for use in (LimitUse.objects.get(), FeeUse.objects.get())] == [True, False]


def test_what_came_after_all_counts_though_its_room_was_taken_meanwhile():
    purse = wallet()
    cap(1_500, kind="top_up", currency="EUR", member=purse.member)
    top_up(purse, 1_015)
    top_up(purse, 1_000, reference="r2")

    let_time_pass(timedelta(hours=1))

    with pytest.raises(LimitExceeded) as refused:
        top_up(purse, 100, reference="r3")
    assert (refused.value.facts["used"]["amount"], refused.value.facts["left"]["amount"]) == (2_015, 0)
    assert not verification.discover().run(only=["members", "wallets", "ledger"]).findings


def test_withdrawal_paid_after_all_counts_until_it_comes_back():
    purse = wallet(5_000)

    order = withdraw(purse, 1_015)
    let_time_pass(timedelta(hours=1))
    order.refresh_from_db()
    counted = LimitUse.objects.get().given_back_at is None
    outcomes.settle(order=order, answer=Answer(outcome=Outcome.RETURNED), origin=Origin.QUERY, gateway=order.gateway)

    assert (order.state, counted, given_back(), clean()) == ("succeeded", True, True, True)


def test_fee_of_a_withdrawal_is_on_hold_with_it_and_then_taken():
    purse = wallet(5_000)

    withdraw(purse, 1_002)
    assert wallets.available(purse) == eur(5_000 - 1_052)
    let_time_pass(timedelta(hours=1))

    assert (holds(purse), earned(), given_back(), clean()) == (eur(5_000 - 1_052), 50, False, True)


def test_withdrawal_needs_its_fee_too():
    purse = wallet(1_049)

    with pytest.raises(InsufficientFunds):
        withdraw(purse, 1_000)

    assert (wallets.available(purse), given_back()) == (eur(1_049), True)


def test_failed_withdrawal_frees_its_fee():
    purse = wallet(5_000)

    withdraw(purse, 1_003)
    let_time_pass(timedelta(hours=1))

    assert (wallets.available(purse), earned(), given_back(), clean()) == (eur(5_000), 0, True, True)


def test_withdrawal_that_comes_back_a_day_later_comes_back_whole():
    purse = wallet(5_000)

    withdraw(purse, 1_012)
    assert earned() == 50
    let_time_pass(since=clock.now())

    assert (holds(purse), earned(), given_back(), clean()) == (eur(5_000), 0, True, True)
