"""What a gateway says has happened: refused by the books, because somebody froze an account, it is booked after the
thaw."""

from datetime import timedelta
from uuid import uuid4

import pytest

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.models import OpenItem
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from paymentsite.ledger.refusals import AccountNotOpen
from tests.wallets.deciding import clean, decide, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, top_up, wallet, withdraw
from wallets.models import Notification, TopUp, Withdrawal
from wallets.services import bookings, conflicts, janitor, notifications, orders
from wallets.services.conflicts import BooksClosed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def set_status(account: Account, status: Balance.Status) -> None:
    ledger.set_status(account=account, status=status, by=SYSTEM, reason="a court says so")


@pytest.mark.parametrize(("begin", "kind", "left"), [(top_up, TopUp, 510_00), (withdraw, Withdrawal, 490_00)])
def test_order_that_settles_while_the_clearing_account_is_frozen_is_booked_after_the_thaw(begin, kind, left):
    top_up(wallet(), 10_00)
    clearing, purse = bookings.clearing("sandbox", "EUR"), wallet(500_00)
    set_status(clearing, Balance.Status.FROZEN)
    with pytest.raises(DomainError):
        begin(purse, 10_00)
    soon = clock.now() + timedelta(hours=3)
    with clock.standing(soon):
        janitor.ask_due(now=soon)
    assert "our books refuse" in OpenItem.objects.open().get(kind=orders.UNBOOKABLE).why

    set_status(clearing, Balance.Status.OPEN)
    later = clock.now() + timedelta(days=1)
    with clock.standing(later):
        janitor.ask_due(now=later)
    order = kind.objects.get(wallet=purse)
    assert (order.state, holds(purse), clean()) == ("succeeded", eur(left), True)
    assert not OpenItem.objects.open().filter(kind=orders.UNBOOKABLE).exists()


def test_what_moved_is_accepted_once_the_wallets_account_is_open_again():
    withdraw(wallet(500_00), 10_00)
    purse = wallet(50_00)
    order = withdraw(purse, 10_10)
    proposal, decider = conflicts.accept(order=order, by=staff(), reason="fine"), staff()
    set_status(purse.account, Balance.Status.FROZEN)
    with pytest.raises(AccountNotOpen):
        approvals.approve(approval=proposal, by=decider, shown=proposal.shown)

    set_status(purse.account, Balance.Status.OPEN)
    approvals.approve(approval=proposal, by=decider, shown=proposal.shown)
    order.refresh_from_db()
    assert (order.state, clean()) == ("succeeded", True)


def test_however_many_notifications_cannot_be_worked_off_newer_ones_are(monkeypatch):
    monkeypatch.setattr(notifications, "_CHUNK", 2)
    made = {"gateway": "sandbox", "kind": "top_up", "about": str(uuid4()), "received_at": clock.now()}
    for number in range(5):
        fields = {"event_id": f"stuck {number}", "outcome": "unheard of", "body": Secret("{}")}
        Notification.objects.create(public_id=uuid4(), **made, **fields)
    purse = wallet()
    top_up(purse, 10_10)
    [(_number, headers, body)] = gateway().deliveries(clock.now() + timedelta(hours=2))
    told = notifications.receive(gateway="sandbox", headers=headers, body=body)

    assert notifications.process_left() == 1
    told.refresh_from_db()
    assert (told.state, Notification.objects.waiting().count()) == ("processed", 5)


def test_nobody_says_that_it_happened_while_the_books_refuse_it():
    """An approval that would book nothing is none: it can be given once the account is open again."""
    purse = wallet(50_00)
    order = withdraw(purse, 10_16)
    proposal = conflicts.end(order=order, happened=True, by=staff(), reason="seen at the bank")
    set_status(purse.account, Balance.Status.FROZEN)

    with pytest.raises(BooksClosed):
        decide(proposal)

    set_status(purse.account, Balance.Status.OPEN)
    decide(proposal)
    order.refresh_from_db()
    assert (order.state, holds(purse), clean()) == ("succeeded", eur(50_00 - 10_16), True)
