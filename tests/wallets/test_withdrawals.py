"""Withdrawals: refused, repeated, failed, come back, and gone."""

from datetime import timedelta

import pytest

from members.services import members
from members.services.members import MemberSuspended
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Hold
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, sandboxes, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.gateways.base import Answer, OrderKind, Outcome
from wallets.models import Withdrawal
from wallets.services import bookings, instruments, janitor, outcomes, wallets
from wallets.services.bank_accounts import AccountNotVerified
from wallets.services.instruments import NoSuchInstrument
from wallets.services.orders import OrderDiffers, Origin
from wallets.services.wallets import WalletFrozen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

STAFF = Actor("staff", "0")


def cleared() -> Money:
    """What the sandbox has paid for us."""
    return books.standing(bookings.clearing("sandbox", "EUR")).posted


def held(purse) -> Money:
    return books.standing(purse.account).held


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


def test_unverified_account_gets_nothing():
    purse = wallet(5000)

    with pytest.raises(AccountNotVerified):
        withdraw(purse, 1000, to=bank_account(of=purse.member))

    assert (held(purse), Withdrawal.objects.exists()) == (eur(0), False)


def test_account_of_somebody_else_is_not_found():
    with pytest.raises(NoSuchInstrument):
        withdraw(wallet(5000), 1000, to=bank_account(of=member(), verified=True))


def test_more_than_is_there_is_refused():
    purse = wallet(500)

    with pytest.raises(InsufficientFunds):
        withdraw(purse, 501)

    assert (held(purse), Withdrawal.objects.exists()) == (eur(0), False)


def test_suspended_member_withdraws_nothing():
    purse = wallet(5000)
    account = bank_account(of=purse.member, verified=True)
    members.suspend(member=purse.member, by=STAFF, reason="x")

    with pytest.raises(MemberSuspended):
        withdraw(purse, 1000, to=account)


def test_frozen_wallet_pays_nothing_out():
    purse = wallets.freeze(wallet=wallet(5000), by=STAFF, reason="x")

    with pytest.raises(WalletFrozen):
        withdraw(purse, 1000)


def test_repeated_reference_is_the_first_order():
    purse = wallet(5000)
    account = bank_account(of=purse.member, verified=True)

    first, again = withdraw(purse, 1000, to=account), withdraw(purse, 1000, to=account)

    assert (again, holds(purse)) == (first, eur(4000))
    with pytest.raises(OrderDiffers):
        withdraw(purse, 2000, to=account)


@pytest.mark.parametrize(
    ("ending", "first", "last", "went"),
    [
        (0, "succeeded", "succeeded", 1000),
        (1, "failed", "failed", 0),
        (2, "pending", "succeeded", 1002),
        (3, "pending", "failed", 0),
        (7, "unknown", "succeeded", 1007),
        (8, "unknown", "failed", 0),
        (9, "succeeded", "succeeded", 1009),
        (12, "succeeded", "returned", 0),
        (13, "failed", "failed", 0),
        (14, "unknown", "succeeded", 1014),
        (17, "unknown", "succeeded", 1017),
    ],
)
@pytest.mark.parametrize("notified", [True, False], ids=["told", "asked"])
def test_each_outcome_ends_as_it_should(ending, first, last, went, notified):
    purse = wallet(5000)

    order = withdraw(purse, 1000 + ending)
    begun, set_aside = order.state, held(purse)
    let_time_pass(notified=notified)

    order.refresh_from_db()
    if ending == 12 and not notified:
        last, went = "succeeded", 1012
    assert (begun, order.state, holds(purse), held(purse)) == (first, last, eur(5000 - went), eur(0))
    assert set_aside == eur(0 if first in {"succeeded", "failed"} else 1000 + ending)
    assert cleared() == eur(went)


def test_what_is_under_way_cannot_be_spent():
    purse = wallet(1002)

    withdraw(purse, 1002)

    assert wallets.available(purse) == eur(0)


def test_unknown_keeps_its_hold_until_somebody_knows():
    purse = wallet(5000)

    withdraw(purse, 1016)
    let_time_pass(timedelta(days=3))

    assert (held(purse), items()) == (eur(1016), {"order_stuck"})


def test_what_never_arrived_is_not_sent_again_for_a_suspended_member():
    purse = wallet(5000)
    order = withdraw(purse, 1014)
    members.suspend(member=purse.member, by=STAFF, reason="x")

    let_time_pass()

    order.refresh_from_db()
    assert (order.state, held(purse), items()) == ("unknown", eur(1014), {"order_stuck"})


def test_removed_account_is_still_paid():
    purse = wallet(5000)
    account = bank_account(of=purse.member, verified=True)
    order = withdraw(purse, 1014, to=account)
    instruments.remove(instrument=account, by=STAFF)

    let_time_pass()

    order.refresh_from_db()
    assert (order.state, order.destination) == ("succeeded", "DE ···· 3000")


def test_other_amount_keeps_its_hold_and_waits_for_staff():
    purse = wallet(5000)

    order = withdraw(purse, 1010)
    let_time_pass()

    order.refresh_from_db()
    assert (order.state, order.moved, held(purse), items()) == ("conflict", eur(1009), eur(1010), {"order_differs"})


def test_message_that_contradicts_a_payout_is_not_believed_before_it_is_asked():
    purse = wallet(5000)
    order = withdraw(purse, 1000)

    outcomes.settle(order=order, answer=Answer(outcome=Outcome.FAILED), origin=Origin.NOTIFICATION, gateway="sandbox")
    janitor.ask_due(now=clock.now())

    order.refresh_from_db()
    assert (order.state, holds(purse)) == ("succeeded", eur(4000))


def test_failed_after_all_is_all_of_it_whatever_amount_is_named():
    purse = wallet(50_00)
    order = withdraw(purse, 10_00)
    assert order.state == "succeeded"

    answer = Answer(outcome=Outcome.FAILED, amount=eur(0))
    outcomes.settle(order=order, answer=answer, origin=Origin.QUERY, gateway=order.gateway)

    order.refresh_from_db()
    assert (order.state, holds(purse)) == ("returned", eur(50_00))


def test_paid_after_all_is_booked_against_suspense_and_shown_to_a_person():
    purse = wallet(5000)
    order = withdraw(purse, 1015)
    assert (order.state, held(purse)) == ("failed", eur(0))

    let_time_pass()

    order.refresh_from_db()
    assert (order.state, order.booked_to, holds(purse), items()) == (
        "succeeded",
        "suspense",
        eur(5000),
        {"order_late"},
    )
    assert (cleared(), books.standing(bookings.suspense("EUR")).posted) == (eur(1015), eur(-1015))


def test_returned_for_a_closed_wallet_is_in_suspense():
    purse = wallet(1012)
    withdraw(purse, 1012)
    wallets.close(wallet=purse, by=STAFF, reason="x")

    let_time_pass()

    assert (items(), books.standing(bookings.suspense("EUR")).posted) == ({"order_in_suspense"}, eur(1012))


def test_returned_before_paid_is_heard_ends_returned():
    purse = wallet(5000)
    order = withdraw(purse, 1016)

    for outcome in (Outcome.RETURNED, Outcome.SUCCEEDED, Outcome.RETURNED):
        outcomes.settle(order=order, answer=Answer(outcome=outcome), origin=Origin.NOTIFICATION, gateway="sandbox")

    order.refresh_from_db()
    assert (order.state, holds(purse), held(purse), cleared()) == ("returned", eur(5000), eur(0), eur(0))


def test_paid_from_an_account_frozen_meanwhile_waits_and_is_booked_when_it_thaws():
    purse = wallet(5000)
    order = withdraw(purse, 1002)
    ledger.set_status(account=purse.account, status=Balance.Status.FROZEN, by=STAFF, reason="order of a court")
    let_time_pass(timedelta(hours=1))
    order.refresh_from_db()
    assert (order.state, items()) == ("pending", {"order_not_bookable"})

    ledger.set_status(account=purse.account, status=Balance.Status.OPEN, by=STAFF, reason="over")
    let_time_pass(since=clock.now() + timedelta(hours=1))

    order.refresh_from_db()
    assert (order.state, holds(purse), items()) == ("succeeded", eur(3998), set())


def test_gateway_learns_the_account_and_nobody_else_does():
    purse = wallet(5000)

    order = withdraw(purse, 1000)

    assert order.payee.decrypt().reveal().count("DE89370400440532013000") == 1
    assert "DE8937" not in repr(vars(order))
    assert gateway().query(order.public_id.hex, OrderKind.PAYOUT).outcome == Outcome.SUCCEEDED
    assert not Hold.objects.open().exists()
    fund(purse.account, 1)


def test_second_request_that_is_not_sent_says_nothing_of_the_first(tmp_path):
    with sandboxes(tmp_path / "other", "sandbox", adapter="tests.wallets.crashing.Unreachable"):
        purse = wallet(5000)
        order = withdraw(purse, 1014)
        let_time_pass()

    order.refresh_from_db()
    assert (order.state, held(purse), items()) == ("unknown", eur(1014), {"order_stuck"})
