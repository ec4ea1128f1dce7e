"""Events of orders are those that the trail tells of; where one is gone, edited or invented, verify names the order."""

from typing import Any

import pytest

from paymentsite.core import clock, verification
from tests.wallets.gateways import let_time_pass, top_up, wallet, withdraw
from wallets.models import OrderEvent, TopUp, Withdrawal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

CHECK = "wallets.order_events_are_told"


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[CHECK]).findings]


@pytest.fixture(params=["top_up", "withdrawal"])
def order(request: pytest.FixtureRequest) -> TopUp | Withdrawal:
    """One that took several events to be done, beside others."""
    purse = wallet(100_00)
    top_up(purse, 10_00, reference="other")
    withdraw(purse, 11_00, reference="other")
    made = top_up(purse, 10_02) if request.param == "top_up" else withdraw(purse, 10_02)
    let_time_pass()
    return made


def events(order: TopUp | Withdrawal) -> Any:
    return OrderEvent.objects.filter(**{order.noun: order}).order_by("pk")


@pytest.mark.usefixtures("routed", "order")
def test_orders_left_by_services_are_clean():
    assert named() == []


@pytest.mark.parametrize("place", [0, 1, -1])
def test_event_that_is_gone_is_named(order, unprotected, place):
    found = list(events(order))
    assert len(found) > 2
    with unprotected():
        events(order).filter(pk=found[place].pk)._raw_delete("default")

    assert named() == [f"{order.noun} {order.public_id}"]


@pytest.mark.parametrize(
    "edit", [{"outcome": "failed"}, {"origin": "staff"}, {"state": "failed"}, {"gateway": "x"}, {"actor": "staff:9"}]
)
def test_event_that_was_edited_is_named(order, unprotected, edit):
    with unprotected():
        OrderEvent.objects.filter(pk=events(order)[1].pk).update(**edit)

    assert named() == [f"{order.noun} {order.public_id}"]


def test_event_that_was_invented_is_named(order):
    last = events(order).last()
    facts = {"origin": "staff", "state": last.state, "gateway": last.gateway, "actor": last.actor, "at": clock.now()}
    OrderEvent.objects.create(**{order.noun: order}, **facts)

    assert named() == [f"{order.noun} {order.public_id}"]
