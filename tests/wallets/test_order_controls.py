"""The histories again, each against the bug that they are there to find: if one stays green here, it proves nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from paymentsite.ledger import services as ledger
from tests.wallets.crashing import Fate
from tests.wallets.order_histories import History
from tests.wallets.test_order_crashes import findings, live, mortal
from wallets.gateways.base import Outcome
from wallets.services import bookings, gateway_calls, orders

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
