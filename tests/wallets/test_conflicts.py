"""Orders that differ: nobody decides alone, and each decision books what it says."""

from datetime import timedelta

import pytest

from members.models import LimitUse, Notice
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.core.services.approvals import OwnProposal
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal
from tests.terms import told
from tests.wallets.deciding import clean, decide, items, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, top_up, wallet, withdraw
from wallets.gateways.base import Answer, OrderKind, Outcome
from wallets.models import FeeRule, Wallet, Withdrawal
from wallets.services import bookings, conflicts, outcomes, wallets
from wallets.services.conflicts import NothingToDecide
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def cleared(currency: str = "EUR") -> Money:
    return -books.standing(bookings.clearing("sandbox", currency)).posted


def test_one_person_decides_nothing():
    purse, by = wallet(), staff()
    proposal = conflicts.accept(order=top_up(purse, 1010), by=by, reason="seen on their console")

    with pytest.raises(OwnProposal):
        approvals.approve(approval=proposal, by=by, shown=proposal.shown)

    assert holds(purse) == eur(0)


def settled(order: Withdrawal, answer: Answer) -> None:
    outcomes.settle(order=order, answer=answer, origin=Origin.QUERY, gateway=order.gateway)


def paid(order: Withdrawal, moved: Money) -> None:
    """Something else went than was asked for, and staff accepted it."""
    settled(order, Answer(outcome=Outcome.SUCCEEDED, amount=moved))
    decide(conflicts.accept(order=order, by=staff(), reason="fine"))


def heard() -> list[str]:
    """What members were told of withdrawals."""
    told = Notice.objects.filter(kind__startswith="withdrawal").order_by("pk")
    return [notices.sentence(each) for each in told]


@pytest.mark.parametrize("minor", [1000, 1001, 1002])
def test_where_nothing_differs_there_is_nothing_to_decide(minor):
    with pytest.raises(NothingToDecide):
        conflicts.accept(order=top_up(wallet(), minor), by=staff(), reason="x")


def test_accepted_is_booked_as_it_came():
    purse = wallet()

    decide(conflicts.accept(order=top_up(purse, 1010), by=staff(), reason="fine"))

    assert (holds(purse), cleared(), items(), clean()) == (eur(1009), eur(1009), set(), True)


def test_accepted_in_another_currency_is_on_a_wallet_in_that():
    purse = wallet()

    decide(conflicts.accept(order=top_up(purse, 1011), by=staff(), reason="fine"))

    other = Wallet.objects.get(member=purse.member, currency="USD")
    assert (holds(other), holds(purse), cleared("USD")) == (Money(1011, "USD"), eur(0), Money(1011, "USD"))
    assert clean()


def test_given_back_by_the_gateway_is_never_booked():
    purse = wallet()
    order = top_up(purse, 1010)

    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    order.refresh_from_db()
    assert order.state == "returning"
    let_time_pass(timedelta(minutes=10))

    order.refresh_from_db()
    assert (order.state, holds(purse), items(), clean()) == ("returned", eur(0), set(), True)
    assert gateway().query(order.refund_id.hex, OrderKind.REFUND).outcome == Outcome.SUCCEEDED
    assert not Journal.objects.filter(source=order.source).exists()


def test_given_back_by_hand_is_over_at_once():
    order = top_up(wallet(), 1010)

    decide(conflicts.give_back(order=order, by_hand=True, by=staff(), reason="done on their console"))

    order.refresh_from_db()
    assert (order.state, items(), clean()) == ("returned", set(), True)


def test_withdrawal_of_which_less_went_takes_that_and_frees_the_rest():
    purse = wallet(5000)

    decide(conflicts.accept(order=withdraw(purse, 1010), by=staff(), reason="fine"))

    assert (holds(purse), wallets.available(purse), cleared(), clean()) == (eur(3991), eur(3991), eur(-1009), True)


def test_withdrawal_that_went_in_another_currency_stands_in_suspense():
    purse = wallet(5000)

    decide(conflicts.accept(order=withdraw(purse, 1011), by=staff(), reason="fine"))

    suspended = {unit: books.standing(bookings.suspense(unit)).posted for unit in ("EUR", "USD")}
    assert (holds(purse), suspended) == (eur(3989), {"EUR": eur(1011), "USD": Money(-1011, "USD")})
    assert (items(), clean()) == ({"order_in_suspense"}, True)


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        (eur(600), "6.00 EUR was paid to DE ···· 3000."),
        (eur(1100), "11.00 EUR was paid to DE ···· 3000."),
        (
            Money(1002, "USD"),
            "10.02 USD was paid to DE ···· 3000 in place of the 10.02 EUR of your withdrawal. We are looking into it.",
        ),
    ],
)
def test_member_hears_what_was_paid(moved: Money, said: str):
    paid(withdraw(wallet(5000), 1002), moved)

    assert heard() == [said]


@pytest.mark.parametrize(("moved", "back"), [(eur(600), "6.00 EUR"), (eur(1100), "10.02 EUR")])
def test_member_hears_what_came_back_of_what_was_paid(moved: Money, back: str):
    purse = wallet(5000)
    order = withdraw(purse, 1002)
    paid(order, moved)

    settled(order, Answer(outcome=Outcome.RETURNED))

    assert (holds(purse), clean()) == (eur(5000), True)
    assert heard()[1:] == [f"Your withdrawal of {back} came back. It is in your wallet again, and so is the fee."]


@pytest.mark.parametrize("moved", [eur(600), Money(1002, "USD")])
def test_member_has_all_that_was_set_aside_when_what_differs_came_back_before_it_was_booked(moved: Money):
    purse = wallet(5000)
    order = withdraw(purse, 1002)

    for outcome in (Outcome.SUCCEEDED, Outcome.RETURNED):
        settled(order, Answer(outcome=outcome, amount=moved))

    assert wallets.available(purse) == eur(5000)
    assert heard() == ["Your withdrawal of 10.02 EUR came back. It is in your wallet again, and so is the fee."]


@pytest.mark.parametrize("minor", [1000, 1010])
def test_withdrawal_that_came_back_past_the_gateway_is_in_the_wallet_again(minor):
    purse = wallet(5000)

    decide(conflicts.returned(order=withdraw(purse, minor), by=staff(), reason="on the bank's statement"))

    assert (holds(purse), wallets.available(purse), cleared(), items()) == (eur(5000), eur(5000), eur(0), set())
    assert clean()


def test_message_after_the_decision_changes_nothing():
    purse = wallet()
    order = top_up(purse, 1010)
    decide(conflicts.accept(order=order, by=staff(), reason="fine"))

    let_time_pass(since=clock.now())

    assert holds(purse) == eur(1009)


@pytest.mark.parametrize(("happened", "state", "left"), [(True, "succeeded", 3_984), (False, "failed", 5_000)])
def test_order_of_which_nothing_is_known_is_ended_by_two_people(happened, state, left):
    purse = wallet(5_000)
    order = withdraw(purse, 1_016)

    decide(conflicts.end(order=order, happened=happened, by=staff(), reason="they told us on the phone"))

    order.refresh_from_db()
    assert (order.state, wallets.available(purse), items(), clean()) == (state, eur(left), set(), True)


def test_other_amount_that_came_after_a_failure_counts_again_and_costs_nothing():
    purse = wallet()
    told(FeeRule.objects.create(kind="top_up", currency="EUR", fixed_minor=30, starts_at=EPOCH, set_by="test:1"))
    order = top_up(purse, 1_001)
    answer = Answer(outcome=Outcome.SUCCEEDED, amount=eur(900))
    outcomes.settle(order=order, answer=answer, origin=Origin.QUERY, gateway=order.gateway)

    decide(conflicts.accept(order=order, by=staff(), reason="seen on their console"))

    order.refresh_from_db()
    assert (order.state, holds(purse), order.fee_minor) == ("succeeded", eur(900), 0)
    assert (LimitUse.objects.get().given_back_at, clean()) == (None, True)
