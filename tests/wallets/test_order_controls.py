"""The histories again, each against the bug that they are there to find: if one stays green here, it proves nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from members.services import limits
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from tests.wallets.crashing import Fate
from tests.wallets.order_histories import KINDS, History
from tests.wallets.test_order_crashes import findings, live, mortal
from wallets.gateways.base import Answer, Outcome
from wallets.models.orders import UNDECIDED
from wallets.services import bookings, fees, gateway_calls, orders, outcomes, refunds, returns

__all__ = ["mortal"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bookings under a reference that is not the order's."""

    def post(order: Any, scope: str, *entries: ledger.Entry, kind: str = "") -> Any:
        named = {"kind": kind or order.noun, "scope": scope, "source": order.source}
        return ledger.post(*entries, reference=str(uuid4()), **named).journal_id

    monkeypatch.setattr(bookings, "_post", post)


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order's state is written whatever it was, and decided on as it was read before."""

    def update(order: Any, **columns: Any) -> None:
        type(order).objects.filter(pk=order.pk).update(**columns)

    monkeypatch.setattr(orders, "update", update)


@pytest.mark.usefixtures("forgetful")
def test_reference_that_is_not_the_orders_is_found():
    live(History("top_up", 0))

    assert any("wallets.order_booked_once" in found for found in findings())


@pytest.mark.usefixtures("forgetful", "careless")
def test_booking_twice_is_found():
    assert live(History("top_up", 9)) != "" or findings() != []


def test_unknown_taken_for_failed_is_found(monkeypatch: pytest.MonkeyPatch):
    call = gateway_calls._call

    def guessing(name: str, ask: Callable[..., Any]) -> Any:
        answer = call(name, ask)
        return replace(answer, outcome=Outcome.FAILED) if answer.outcome == Outcome.UNKNOWN else answer

    monkeypatch.setattr(gateway_calls, "_call", guessing)

    assert live(History("withdrawal", 7)) != ""


def test_state_committed_apart_from_its_booking_is_found(monkeypatch: pytest.MonkeyPatch):
    """Booked in a transaction of its own before the state: cut off between them, told again, it is booked twice."""
    post = bookings.came_in

    def apart(order: Any, **how: Any) -> Any:
        order.public_id = uuid4()
        return post(order, **how)

    monkeypatch.setattr(bookings, "came_in", apart)

    assert live(History("top_up", 2, fate=Fate(("commit", 3, "after")), retries=2)) != "" or findings() != []


@pytest.mark.parametrize("ending", [3])
@pytest.mark.parametrize("what", [limits, fees])
@pytest.mark.parametrize("kind", KINDS)
def test_what_failed_and_is_not_given_back_is_found(kind, what, ending, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(what, "give_back", lambda **_: None)

    assert live(History(kind, ending)) != ""


def test_fee_of_what_came_after_all_is_found(monkeypatch: pytest.MonkeyPatch):
    came_in = bookings.came_in

    def dearer(order: Any, *, amount: Money, fee: Money, wallet: Any) -> Any:
        return came_in(order, amount=amount, fee=order.fee, wallet=wallet)

    monkeypatch.setattr(bookings, "came_in", dearer)

    assert live(History("top_up", 15)) != ""


def test_fee_that_does_not_come_back_is_found(monkeypatch: pytest.MonkeyPatch):
    came_back = bookings.came_back

    def without(order: Any, **how: Any) -> Any:
        order.fee_minor = 0
        return came_back(order, **how)

    monkeypatch.setattr(bookings, "came_back", without)

    assert live(History("withdrawal", 12)) != ""


def test_limits_that_forget_what_happened_after_all_are_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "count_again", lambda **_: False)

    assert live(History("top_up", 15)) != ""


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_returned_first_and_is_booked_all_the_same_is_found(kind, monkeypatch: pytest.MonkeyPatch):
    returned = outcomes._returned

    def as_if_it_had_succeeded(order: Any, answer: Answer, origin: Any) -> None:
        if order.state in UNDECIDED:
            outcomes._succeeded(order, answer, origin)
        returned(order, answer, origin)

    monkeypatch.setattr(outcomes, "_returned", as_if_it_had_succeeded)

    assert live(History(kind, 18)) != ""


@pytest.mark.parametrize("kind", KINDS)
def test_part_that_came_back_taken_for_all_is_found(kind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(returns, "share", lambda _order, _back: returns.Share.ALL)

    assert live(History(kind, 19)) != ""


@pytest.mark.parametrize("kind", KINDS)
def test_part_that_came_back_and_is_forgotten_is_found(kind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(returns, "stayed", lambda order, _back: order.moved)

    assert live(History(kind, 19)) != ""


def test_refund_that_failed_after_all_and_vanishes_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refunds, "_given_back_so", lambda _order: False)

    assert live(History("top_up", 21)) != ""


def test_page_that_is_left_open_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway_calls, "can_cancel", lambda _order: False)

    assert live(History("top_up", 22)) != ""


def test_page_that_is_believed_closed_and_is_not_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway_calls, "cancel", lambda _order: Answer(outcome=Outcome.FAILED))

    assert live(History("top_up", 22)) != ""
