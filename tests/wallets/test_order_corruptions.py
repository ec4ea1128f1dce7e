"""Whatever is done to orders behind their services' back, verify finds it and names the row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import connection

from members.models import LimitUse
from members.services import limits
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import OpenItem
from paymentsite.ledger import services as ledger
from tests.terms import told
from tests.wallets.gateways import eur, gateway, let_time_pass, top_up, wallet, withdraw
from wallets.gateways.scripts import OUTCOMES
from wallets.models import FeeRule, FeeUse, Notification, TopUp, Withdrawal
from wallets.services import bookings, notifications

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

Unprotected = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def waiting() -> TopUp:
    return top_up(wallet(), 1_016)


def found(check: str) -> set[str]:
    return {each.subject for each in verification.discover().run(only=[check]).findings}


def name(order: TopUp | Withdrawal) -> str:
    return f"{order.noun} {order.public_id}"


def test_books_of_every_outcome_are_clean():
    for ending in (0, *OUTCOMES):
        top_up(wallet(), 1_000 + ending)
        withdraw(wallet(5_000), 1_000 + ending)
    let_time_pass()

    with clock.standing(clock.now() + timedelta(days=2, minutes=1)):
        assert verification.discover().run(only=["wallets", "ledger"]).findings == []


def test_order_without_its_journal_is_found(come: TopUp, unprotected: Unprotected):
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_journal SET source = 'top_up:another' WHERE scope = 'wallets.top_up'")

    assert name(come) in found("wallets.order_booked_once")


def test_second_journal_of_an_order_is_found(come: TopUp):
    ledger.post(
        ledger.Move(eur(1_000), bookings.clearing("sandbox", "EUR"), come.wallet.account),
        scope=bookings.TOP_UP,
        reference="again",
        source=come.source,
    )

    subjects = found("wallets.order_booked_once")
    assert name(come) in subjects
    assert any(each.startswith("journal ") for each in subjects)


def test_amount_edited_afterwards_is_found(come: TopUp, gone: Withdrawal, unprotected: Unprotected):
    with unprotected():
        TopUp.objects.filter(pk=come.pk).update(amount_minor=999)
        Withdrawal.objects.filter(pk=gone.pk).update(amount_minor=1_001)

    assert found("wallets.order_moved_amount") == {name(come), name(gone)}
    assert found("wallets.clearing_is_orders") == {"account gateway:sandbox clearing EUR"}


def test_order_moved_to_another_gateway_is_found(come: TopUp):
    TopUp.objects.filter(pk=come.pk).update(gateway="other")

    assert found("wallets.order_moved_amount") == {name(come)}
    assert "account gateway:sandbox clearing EUR" in found("wallets.clearing_is_orders")


def test_order_that_is_done_and_counts_against_no_limit_is_found(come: TopUp, gone: Withdrawal):
    limits.give_back(source=come.source, now=clock.now())
    assert found("wallets.succeeded_orders_count") == {name(come)}

    limits.give_back(source=gone.source, now=clock.now())
    assert found("wallets.succeeded_orders_count") == {name(come), name(gone)}


def test_order_of_which_nothing_came_and_that_still_counts_is_found():
    told(FeeRule.objects.create(kind="withdrawal", currency="EUR", fixed_minor=30, starts_at=EPOCH, set_by="test:1"))
    failed, returned = top_up(wallet(), 1_001), withdraw(wallet(5_000), 1_018)
    let_time_pass(timedelta(hours=1))
    returned.refresh_from_db()
    assert (returned.state, found("wallets.lost_orders_count_not")) == ("returned", set())

    LimitUse.objects.filter(source=failed.source).update(given_back_at=None)
    assert found("wallets.lost_orders_count_not") == {name(failed)}

    FeeUse.objects.filter(source=returned.source).update(given_back_at=None)
    assert found("wallets.lost_orders_count_not") == {name(failed), name(returned)}


def test_hold_let_go_while_the_withdrawal_is_under_way_is_found(under_way: Withdrawal):
    ledger.post(ledger.Release(under_way.hold), reference="stolen")

    assert found("wallets.withdrawal_holds") == {name(under_way)}


def test_hold_that_outlives_its_withdrawal_is_found(under_way: Withdrawal):
    Withdrawal.objects.filter(pk=under_way.pk).update(state="failed")

    assert found("wallets.withdrawal_holds") == {name(under_way)}


def test_order_that_nobody_asks_about_is_found(waiting: TopUp):
    TopUp.objects.filter(pk=waiting.pk).update(next_query_at=None)

    assert found("wallets.order_not_forgotten") == {name(waiting)}


def test_order_whose_question_is_overdue_is_found(waiting: TopUp):
    with clock.standing(clock.now() + timedelta(days=2)):
        assert found("wallets.order_not_forgotten") == {name(waiting)}


def test_conflict_that_nobody_looks_at_is_found():
    order = top_up(wallet(), 1_010)
    OpenItem.objects.update(state="done", closed_at=clock.now(), closed_by=str(SYSTEM))

    assert found("wallets.order_not_forgotten") == {name(order)}


def test_state_edited_is_found(waiting: TopUp):
    TopUp.objects.filter(pk=waiting.pk).update(state="failed")

    assert found("wallets.order_is_its_events") == {name(waiting)}


def test_notification_that_was_left_is_found(waiting: TopUp):
    top_up(waiting.wallet, 1_000, reference="r2")
    [(_number, headers, body)] = gateway().deliveries(clock.now())
    told = notifications.receive(gateway="sandbox", headers=headers, body=body)

    with clock.standing(clock.now() + timedelta(minutes=11)):
        assert found("wallets.notifications_processed") == {f"notification {told.public_id}"}
    assert Notification.objects.get().state == "received"
