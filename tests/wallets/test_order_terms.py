"""Whose an order is, what it cost, what came back: edited behind its services' back, verify finds and names the row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Posting
from tests.members.factories import member
from tests.terms import told
from tests.wallets import deposits
from tests.wallets.deciding import clean, decide, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, let_time_pass, top_up, wallet, withdraw
from wallets.gateways.base import Answer, Outcome
from wallets.gateways.scripts import OUTCOMES
from wallets.models import FeeRule, FeeUse, ProofDeposit, TopUp, Withdrawal
from wallets.services import conflicts, outcomes
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

Unprotected = Callable[[], AbstractContextManager[None]]

MEMBERS = "wallets.order_is_its_members"
PRICE = "wallets.order_is_its_price"
HOLD = "wallets.withdrawal_is_its_hold"
WALLET = "wallets.order_moved_wallet"
FEE = "wallets.order_moved_fee"
BACK = "wallets.order_came_back_whole"
TERMS = [MEMBERS, PRICE, HOLD, WALLET, FEE, BACK]


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    for kind, fixed in (("top_up", 30), ("withdrawal", 50)):
        told(FeeRule.objects.create(kind=kind, currency="EUR", fixed_minor=fixed, starts_at=EPOCH, set_by="test:1"))


def found(order: Any) -> set[str]:
    """The checks of an order's terms that name it; they name no other."""
    findings = verification.discover().run(only=TERMS).findings
    assert {each.subject for each in findings} <= {f"{order.noun} {order.public_id}"}
    return {each.check for each in findings}


def edit(order: Any, **columns: Any) -> None:
    assert type(order).objects.filter(pk=order.pk).update(**columns) == 1


def comes_back(order: TopUp | Withdrawal) -> None:
    order.refresh_from_db()
    outcomes.settle(order=order, answer=Answer(outcome=Outcome.RETURNED), origin=Origin.QUERY, gateway=order.gateway)
    order.refresh_from_db()


def redirect(journal: Any, position: int, **columns: Any) -> None:
    assert Posting.objects.filter(journal=journal, position=position).update(**columns) == 1


def test_fees_of_every_outcome_are_clean():
    for ending in (0, *OUTCOMES):
        top_up(wallet(), 1_000 + ending)
        withdraw(wallet(5_000), 1_000 + ending)
    assert clean()

    let_time_pass()
    assert not verification.discover().run(only=TERMS).findings
    for order in TopUp.objects.filter(state="conflict"):
        decide(conflicts.accept(order=order, by=staff(), reason="fine"))
    for payout in Withdrawal.objects.filter(state="conflict"):
        decide(conflicts.accept(order=payout, by=staff(), reason="fine"))
    assert not verification.discover().run(only=TERMS).findings

    for payout in Withdrawal.objects.filter(state="succeeded"):
        comes_back(payout)
    assert not verification.discover().run(only=TERMS).findings


def test_orders_of_a_frozen_wallet_are_clean():
    purse = wallet(5_000)
    order = withdraw(purse, 1_000)
    ledger.set_status(account=purse.account, status=Balance.Status.FROZEN, by=SYSTEM, reason="test")
    top_up(purse, 1_000)

    comes_back(order)

    assert (holds(purse), order.booked_to) == (eur(3_950), "wallet")
    assert [each.booked_to for each in TopUp.objects.all()] == ["suspense"]
    assert found(order) == set()


def test_fee_raised_before_it_comes_back_is_found(gone: Withdrawal):
    edit(gone, fee_minor=40_000)
    assert found(gone) == {PRICE, WALLET, FEE}

    comes_back(gone)
    assert holds(gone.wallet) == eur(5_000 + 39_950)
    assert found(gone) == {PRICE, WALLET, FEE, BACK}


def test_fee_put_right_after_too_much_came_back_is_found(gone: Withdrawal):
    edit(gone, fee_minor=40_000)
    comes_back(gone)
    edit(gone, fee_minor=50)

    assert found(gone) == {BACK}


def test_fee_edited_of_a_top_up_is_found(come: TopUp):
    edit(come, fee_minor=0)

    assert found(come) == {PRICE, WALLET, FEE}


def test_fee_edited_while_it_is_under_way_is_found(under_way: Withdrawal):
    edit(under_way, fee_minor=0)

    assert found(under_way) == {PRICE}


def test_price_given_back_of_what_kept_its_fee_is_found(come: TopUp):
    FeeUse.objects.filter(source=come.source).update(given_back_at=clock.now())

    assert found(come) == {PRICE}


def test_order_without_a_price_is_found(come: TopUp, unprotected: Unprotected):
    with unprotected():
        FeeUse.objects.filter(source=come.source).delete()

    assert found(come) == {PRICE}


def test_order_on_the_wallet_of_another_is_found(come: TopUp, gone: Withdrawal, unprotected: Unprotected):
    others = wallet()
    with unprotected():
        edit(come, wallet=others)
    assert found(come) == {MEMBERS, WALLET}

    with unprotected():
        edit(come, wallet=come.wallet)
        edit(gone, wallet=others)
    assert found(gone) == {MEMBERS, HOLD, WALLET}

    comes_back(gone)
    assert holds(others) == eur(1_050)
    assert found(gone) == {MEMBERS, HOLD, WALLET, BACK}


def test_order_of_another_is_found(come: TopUp, gone: Withdrawal, unprotected: Unprotected):
    with unprotected():
        edit(come, member=member())
    assert found(come) == {MEMBERS, PRICE}

    with unprotected():
        edit(come, member=come.member)
        edit(gone, member=member())
    assert found(gone) == {MEMBERS, PRICE}


def test_order_of_another_and_on_their_wallet_is_found(under_way: Withdrawal, unprotected: Unprotected):
    others = wallet()
    with unprotected():
        edit(under_way, member=others.member, wallet=others)

    assert found(under_way) == {PRICE, HOLD}


def test_small_deposit_of_another_is_found(unprotected: Unprotected):
    order = deposits.sent(deposits.start(deposits.account()))[0]
    with unprotected():
        edit(order, member=member())

    assert found(order) == {MEMBERS}


def test_amount_raised_while_it_is_under_way_is_found(under_way: Withdrawal, unprotected: Unprotected):
    with unprotected():
        edit(under_way, amount_minor=40_000)

    assert found(under_way) == {PRICE, HOLD}


def test_hold_of_something_else_is_found(under_way: Withdrawal, unprotected: Unprotected):
    posted = ledger.post(
        ledger.Place(eur(1_052), under_way.wallet.account), kind="x", scope="x", reference="x", source="x:1"
    )
    with unprotected():
        edit(under_way, hold_id=posted.holds[0])

    assert found(under_way) == {HOLD}


def test_journal_on_the_wallet_of_another_is_found(come: TopUp, unprotected: Unprotected):
    with unprotected():
        redirect(come.journal, 1, target=wallet().account)

    assert found(come) == {WALLET}


def test_fee_that_went_to_another_account_is_found(gone: Withdrawal, unprotected: Unprotected):
    with unprotected():
        redirect(gone.journal, 2, target=ledger.house("cash", "EUR"))

    assert found(gone) == {WALLET, FEE}


def test_return_that_went_to_another_is_found(gone: Withdrawal, unprotected: Unprotected):
    comes_back(gone)
    with unprotected():
        redirect(gone.return_journal, 1, target=wallet().account)

    assert found(gone) == {BACK}


def test_return_of_a_part_is_found(gone: Withdrawal, unprotected: Unprotected):
    comes_back(gone)
    with unprotected():
        redirect(gone.return_journal, 1, amount_minor=999)

    assert found(gone) == {BACK}


def test_charge_back_out_of_the_wallet_is_found(unprotected: Unprotected):
    order = top_up(wallet(), 1_000)
    comes_back(order)
    assert found(order) == set()

    with unprotected():
        redirect(order.return_journal, 1, source=order.wallet.account)

    assert found(order) == {BACK}


@pytest.mark.parametrize("column", ["member", "wallet", "reference", "currency", "amount_minor", "hold_id"])
def test_what_was_asked_for_is_written_once(gone: Withdrawal, column: str):
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
        edit(gone, **{column: getattr(gone, column)})


@pytest.mark.parametrize("kind", [TopUp, ProofDeposit])
def test_orders_are_not_deleted(come: TopUp, kind: type[TopUp | ProofDeposit]):
    deposits.start(deposits.account())
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {kind._meta.db_table}")  # noqa: S608  our own names
