"""What stands before a person about money in suspense is true: it is said when it is there, and no longer when not."""

from datetime import timedelta
from typing import Any

import pytest

from members.models import Member, Notice
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, open_items
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from paymentsite.ledger.refusals import InsufficientFunds, Unposted
from tests.wallets.deciding import clean, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, let_time_pass, route, top_up, wallet, withdraw
from tests.wallets.saved import bank_account, card
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, Notification, TopUp
from wallets.services import bookings, conflicts, janitor, notifications, orders, outcomes, sandbox, wallets
from wallets.services.orders import Origin
from wallets.services.payees import InstrumentOfAnotherMethod
from wallets.services.wallets import WalletAwaitsMoney

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def say(order: GatewayOrder, outcome: Outcome, amount: Money | None = None, origin: Origin = Origin.QUERY) -> None:
    outcomes.settle(order=order, answer=Answer(outcome=outcome, amount=amount), origin=origin, gateway=order.gateway)
    order.refresh_from_db()


def suspense() -> int:
    return books.standing(bookings.suspense("EUR")).posted.minor


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


def heard() -> str:
    """What a member was told last."""
    return notices.sentence(Notice.objects.latest("pk"))


def settled(kind: str) -> None:
    """Staff has done what was to be done, whatever it was."""
    open_items.done(item=OpenItem.objects.open().get(kind=kind), by=staff(), note="settled")


def in_suspense() -> TopUp:
    purse = wallet()
    order = top_up(purse, 10_02)
    wallets.close(wallet=purse, by=staff(), reason="asked for")
    say(order, Outcome.SUCCEEDED)
    assert (suspense(), items()) == (10_02, {orders.SUSPENDED})
    assert heard() == "Your top-up of 10.02 EUR came, and is not in your wallet yet. We are looking into it."
    return order


def test_top_up_that_leaves_suspense_again_is_nobodys_matter_and_its_member_hears_of_it():
    order = in_suspense()
    say(order, Outcome.RETURNED)

    assert (suspense(), items(), clean()) == (0, set(), True)
    assert Notice.objects.of(order.member).latest("pk").kind == "top_up_sent_back"


def test_top_up_taken_back_after_staff_settled_it_is_missing():
    order = in_suspense()
    settled(orders.SUSPENDED)
    say(order, Outcome.RETURNED)

    assert items() == {orders.CHARGED_BACK}
    assert "missing" in OpenItem.objects.open().get().why


def paid_late() -> Any:
    order = withdraw(wallet(50_00), 10_02)
    say(order, Outcome.FAILED)
    say(order, Outcome.SUCCEEDED)
    assert (suspense(), items()) == (-10_02, {orders.LATE})
    assert heard() == (
        "Your withdrawal of 10.02 EUR, which had failed, was paid to DE ···· 3000 after all. We are looking into it."
    )
    return order


def test_withdrawal_paid_late_that_came_back_is_nobodys_matter():
    order = paid_late()
    say(order, Outcome.RETURNED)

    assert (suspense(), items(), holds(order.wallet), clean()) == (0, set(), eur(50_00), True)
    assert heard() == "Your withdrawal of 10.02 EUR came back. It is in your wallet again, and so is the fee."


@pytest.mark.parametrize("moved", [eur(8_00), Money(10_02, "USD")])
def test_what_was_paid_late_otherwise_than_asked_for_and_came_back_is_nobodys_matter(moved):
    order = withdraw(wallet(50_00), 10_02)
    say(order, Outcome.FAILED)
    say(order, Outcome.SUCCEEDED, moved)
    proposal = conflicts.accept(order=order, by=staff(), reason="that is what went")
    approvals.approve(approval=proposal, by=staff(), shown=proposal.shown)
    assert heard() == (
        f"{moved} was paid to DE ···· 3000 in place of the 10.02 EUR of your withdrawal. We are looking into it."
    )
    order.refresh_from_db()
    say(order, Outcome.RETURNED)

    assert (suspense(), items(), holds(order.wallet), clean()) == (0, set(), eur(50_00), True)
    assert heard() == "Your withdrawal of 10.02 EUR came back. It is in your wallet again, and so is the fee."


def test_withdrawal_paid_late_that_came_back_after_staff_settled_it_is_in_suspense():
    order = paid_late()
    settled(orders.LATE)
    say(order, Outcome.RETURNED)

    assert items() == {orders.SUSPENDED}
    assert heard() == "Your withdrawal of 10.02 EUR came back, and is not in your wallet yet. We are looking into it."


def test_who_has_left_is_told_nothing_that_they_could_not_read():
    order = withdraw(wallet(50_00), 10_02)
    say(order, Outcome.FAILED)
    Member.objects.filter(pk=order.member_id).update(state=Member.State.CLOSED)
    say(order, Outcome.SUCCEEDED)

    assert items() == {orders.LATE}
    assert "failed. You can spend it again" in heard()


def test_more_paid_than_was_on_hold_is_before_a_person_until_it_comes_back():
    order = withdraw(wallet(50_00), 10_02)
    say(order, Outcome.SUCCEEDED, eur(16_00))
    proposal = conflicts.accept(order=order, by=staff(), reason="that is what went")
    approvals.approve(approval=proposal, by=staff(), shown=proposal.shown)
    order.refresh_from_db()

    [item] = OpenItem.objects.open()
    assert (item.kind, suspense()) == (orders.SUSPENDED, -5_98)
    assert item.why.startswith("5.98 EUR more went")
    say(order, Outcome.RETURNED)
    assert (suspense(), items(), holds(order.wallet), clean()) == (0, set(), eur(50_00), True)


def test_gateway_that_was_asked_and_says_failed_of_what_is_booked_is_before_a_person():
    order = top_up(wallet(), 10_00)
    say(order, Outcome.FAILED, origin=Origin.NOTIFICATION)
    assert items() == set(), "a message may be an old one"
    say(order, Outcome.FAILED)

    assert (order.state, items()) == ("succeeded", {orders.CONTRADICTS})


def test_charge_back_that_the_books_refuse_is_before_a_person_and_booked_after_the_thaw():
    order = top_up(wallet(), 10_12)
    clearing = bookings.clearing("sandbox", "EUR")
    let_time_pass(timedelta(minutes=1))
    ledger.set_status(account=clearing, status=Balance.Status.FROZEN, by=SYSTEM, reason="a court says so")
    later = clock.now() + timedelta(days=2)
    with clock.standing(later):
        with pytest.raises(Unposted):
            sandbox.deliver(now=later)
        notifications.process_left()
        assert items() == {orders.UNBOOKABLE}

        ledger.set_status(account=clearing, status=Balance.Status.OPEN, by=SYSTEM, reason="and thinks better of it")
        notifications.process_left()
    order.refresh_from_db()
    assert (order.state, items()) == ("returned", {orders.CHARGED_BACK})


def test_what_a_gateway_says_no_more_is_no_longer_to_be_booked():
    order = withdraw(wallet(50_00), 10_00)
    orders.refused_by_books(order, ValueError("frozen"))
    orders.ask_again(order, clock.now())
    janitor.ask(order=order, now=clock.now())

    assert items() == set()


def test_member_closes_no_wallet_to_which_something_is_on_its_way():
    purse = wallet()
    top_up(purse, 10_02)

    with pytest.raises(WalletAwaitsMoney):
        wallets.close(wallet=purse, by=Actor.of(purse.member.user), reason="mine")


def test_wallet_that_staff_closed_over_a_top_up_is_closed_to_its_member_too():
    purse = wallet()
    top_up(purse, 10_02)
    wallets.close(wallet=purse, by=staff(), reason="asked for")

    assert wallets.close(wallet=purse, by=Actor.of(purse.member.user), reason="mine").state == "closed"


def test_refusal_that_is_over_when_it_is_told_of_is_before_nobody():
    order = top_up(wallet(), 10_02)
    let_time_pass(timedelta(days=2))
    told = Notification.objects.filter(about=order.public_id.hex).latest("pk")
    assert told.state == "processed"

    notifications._refused(told, InsufficientFunds(available=eur(0), asked=eur(1), short=eur(1)))

    assert orders.UNBOOKABLE not in items()


@pytest.mark.parametrize("method", ["card", "bank"])
def test_what_pays_fits_the_way_of_paying(method):
    route(method="bank")
    purse = wallet()
    chosen = {"card": bank_account(of=purse.member, verified=True), "bank": card(of=purse.member)}[method]

    with pytest.raises(InstrumentOfAnotherMethod):
        top_up(purse, 100, method=method, instrument=chosen)
