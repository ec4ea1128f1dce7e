"""Whoever calls a gateway may stand still before they write down what they heard; somebody else asks meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from members.models import Member, Notice
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.ledger import services as ledger
from tests.wallets import gateways
from tests.wallets.deciding import clean, decide, items, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, top_up, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.gateways.base import NOT_REACHED, Answer, OrderKind, Outcome
from wallets.gateways.sandbox import Sandbox
from wallets.models import GatewayOrder, ProofDeposit, TopUp, Withdrawal
from wallets.services import (
    bookings,
    conflicts,
    gateway_calls,
    janitor,
    orders,
    outcomes,
    refunds,
    rerouting,
    small_deposits,
)
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db(transaction=True)]

REFUSED = Answer(outcome=Outcome.FAILED, reason=NOT_REACHED, untried=True)
Meanwhile = Callable[[], object]


def first_stands_still(patch: pytest.MonkeyPatch, method: str, meanwhile: Meanwhile) -> list[Any]:
    """The first call of that kind reached nobody; before that is written down, ``meanwhile`` happens."""
    real, calls = getattr(Sandbox, method), []

    def call(self: Sandbox, order: Any) -> Answer:
        calls.append(order)
        if len(calls) > 1:
            return real(self, order)
        meanwhile()
        return REFUSED

    patch.setattr(Sandbox, method, call)
    return calls


def by_staff(found: GatewayOrder) -> None:
    janitor.ask(order=found, by=staff())


def by_the_job(found: GatewayOrder) -> None:
    with clock.standing(found.next_query_at):
        janitor.ask_due(now=clock.now())


@pytest.mark.usefixtures("routed")
@pytest.mark.parametrize("ask", [by_staff, by_the_job])
@pytest.mark.parametrize("minor", [1000, 1002])
def test_payout_that_was_sent_twice_did_not_fail_because_one_request_did(monkeypatch, ask, minor):
    purse = wallet(50_00)
    calls = first_stands_still(monkeypatch, "pay_out", lambda: ask(Withdrawal.objects.get()))

    order = withdraw(purse, minor)
    let_time_pass()

    order.refresh_from_db()
    assert (len(calls), order.times_sent) == (2, 2)
    assert (order.state, holds(purse), items(), clean()) == ("succeeded", eur(50_00 - minor), set(), True)


@pytest.mark.usefixtures("routed")
def test_payout_of_which_one_request_failed_alone_is_given_back(monkeypatch):
    """Nobody asked meanwhile: what surely did not happen is over at once."""
    purse = wallet(50_00)
    first_stands_still(monkeypatch, "pay_out", lambda: None)

    order = withdraw(purse, 10_00)

    assert (order.state, order.times_sent, holds(purse), clean()) == ("failed", 1, eur(50_00), True)


def test_payout_that_went_on_is_not_sent_again_to_the_first(tmp_path, monkeypatch):
    """The job has asked the first gateway, which knows nothing; before it asks again, the next one was asked to pay."""
    paid: list[str] = []
    real_query, real_pay = Sandbox.query, Sandbox.pay_out

    def goes_on() -> None:
        found = Withdrawal.objects.get()
        moved = rerouting.elsewhere(found, REFUSED, kind="payout")
        assert moved.gateway == "two"
        outcomes.settle(order=moved, answer=gateway_calls.pay_out(moved), origin=Origin.CALL, gateway="two")

    def query(self: Sandbox, reference: str, kind: OrderKind, **more: Any) -> Answer:
        answer = real_query(self, reference, kind, **more)
        monkeypatch.setattr(Sandbox, "query", real_query)
        goes_on()
        return answer

    def pay_out(self: Sandbox, order: Any) -> Answer:
        paid.append(self.name)
        if len(paid) > 1:
            return real_pay(self, order)
        monkeypatch.setattr(Sandbox, "query", query)
        by_the_job(Withdrawal.objects.get())
        return Answer(outcome=Outcome.UNKNOWN)

    with gateways.sandboxes(tmp_path, "one", "two"):
        for priority, name in enumerate(("one", "two"), 1):
            gateways.route("payout", gateway=name, priority=priority)
        purse = wallet(50_00)
        monkeypatch.setattr(Sandbox, "pay_out", pay_out)

        order = withdraw(purse, 10_00)

        order.refresh_from_db()
        assert (paid, order.gateway, order.state) == (["one", "two"], "two", "succeeded")
        assert (holds(purse), items(), clean()) == (eur(40_00), set(), True)


def test_payout_that_was_sent_again_does_not_go_on(tmp_path, monkeypatch):
    with gateways.sandboxes(tmp_path, "one", "two"):
        for priority, name in enumerate(("one", "two"), 1):
            gateways.route("payout", gateway=name, priority=priority)
        purse = wallet(50_00)
        calls = first_stands_still(monkeypatch, "pay_out", lambda: by_the_job(Withdrawal.objects.get()))

        order = withdraw(purse, 10_00)
        let_time_pass()

        order.refresh_from_db()
        assert (len(calls), order.gateway, order.state) == (2, "one", "succeeded")
        assert (holds(purse), clean()) == (eur(40_00), True)


@pytest.mark.usefixtures("routed")
def test_refund_that_was_asked_for_twice_did_not_fail_because_one_request_did(monkeypatch):
    purse = wallet()
    order = top_up(purse, 10_10)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    calls = first_stands_still(monkeypatch, "refund", lambda: by_staff(TopUp.objects.get()))

    janitor.ask_due(now=clock.now())

    order.refresh_from_db()
    assert (len(calls), gateway().query(order.refund_id.hex, OrderKind.REFUND).outcome) == (2, "succeeded")
    assert (order.state, holds(purse), items(), clean()) == ("returned", eur(0), set(), True)


@pytest.mark.usefixtures("routed")
def test_deposit_that_was_sent_twice_did_not_fail_because_one_request_did(monkeypatch):
    purse = wallet()
    Member.objects.filter(pk=purse.member_id).update(kyc_level=1)
    account = bank_account(of=purse.member)
    first_stands_still(monkeypatch, "pay_out", lambda: by_staff(ProofDeposit.objects.order_by("pk")[0]))

    proof = small_deposits.start(instrument=account, by=Actor.of(purse.member.user))

    assert (proof.state, {each.state for each in ProofDeposit.objects.all()}) == ("waiting", {"succeeded"})
    assert not Notice.objects.filter(kind="deposits_not_paid").exists()


@pytest.mark.usefixtures("routed")
def test_call_that_says_failed_of_what_was_paid_is_asked_about():
    """What a call answers was true when it was made; a message that it is paid came before it was written down."""
    purse = wallet(50_00)
    order = withdraw(purse, 10_00)
    assert order.state == "succeeded"

    outcomes.settle(order=order, answer=REFUSED, origin=Origin.CALL, gateway=order.gateway)
    order.refresh_from_db()
    assert (order.state, order.next_query_at) != ("returned", None)
    janitor.ask_due(now=clock.now())

    order.refresh_from_db()
    assert (order.state, holds(purse), items(), clean()) == ("succeeded", eur(40_00), set(), True)


@pytest.mark.usefixtures("routed")
def test_job_opens_no_item_about_what_the_books_have_taken_meanwhile(monkeypatch):
    order = withdraw(wallet(50_00), 10_02)
    account = bookings.clearing("sandbox", "EUR")
    ledger.set_status(account=account, status="frozen", by=SYSTEM, reason="test")
    refused = janitor._refused

    def thawed(found: Any, refusal: Any) -> None:
        ledger.set_status(account=account, status="open", by=SYSTEM, reason="test")
        paid = Answer(outcome=Outcome.SUCCEEDED)
        outcomes.settle(order=order, answer=paid, origin=Origin.NOTIFICATION, gateway="sandbox")
        refused(found, refusal)

    monkeypatch.setattr(janitor, "_refused", thawed)
    let_time_pass(notified=False)

    order.refresh_from_db()
    assert (order.state, orders.UNBOOKABLE in items()) == ("succeeded", False)


@pytest.mark.usefixtures("routed")
@pytest.mark.parametrize("refund_first", [True, False])
def test_whole_refund_that_is_told_as_a_closed_trade_too_contradicts_nothing(refund_first):
    order = top_up(wallet(), 10_10)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    order.refresh_from_db()
    told: list[Callable[[], Any]] = [
        lambda: refunds.settle(
            order=order, answer=Answer(outcome=Outcome.SUCCEEDED, amount=order.moved), origin=Origin.CALL, **at
        ),
        lambda: outcomes.settle(
            order=order, answer=Answer(outcome=Outcome.RETURNED, amount=order.moved), origin=Origin.NOTIFICATION, **at
        ),
    ]
    at = {"gateway": "sandbox"}

    for tell in told if refund_first else reversed(told):
        tell()

    order.refresh_from_db()
    assert (order.state, items(), clean()) == ("returned", set(), True)
