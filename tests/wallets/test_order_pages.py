"""Top-ups that are paid on a page of which the gateway hears only when it is opened."""

from datetime import timedelta
from pathlib import Path

import pytest

from members.models import LimitUse
from paymentsite.core import clock
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, route, sandboxes, top_up, wallet
from wallets.gateways.base import Answer, OrderKind, Outcome
from wallets.gateways.sandbox import Sandbox
from wallets.models import TopUp
from wallets.services import janitor

pytestmark = pytest.mark.django_db


class HearsOnOpening(Sandbox):
    """Knows of no order before its member has been on the page."""

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:
        with self._memory() as memory:
            opened = memory.execute("SELECT 1 FROM acts WHERE reference = ?", (reference,)).fetchone()
        if not opened:
            return Answer(outcome=Outcome.ABSENT)
        return super().query(reference, kind, gateway_reference=gateway_reference)


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, db: None):
    with sandboxes(tmp_path, "sandbox", adapter="tests.wallets.test_order_pages.HearsOnOpening"):
        route("top_up")
        yield


def wait(duration: timedelta) -> None:
    let_time_pass(duration, notified=False)


def counts(order: TopUp) -> bool:
    return LimitUse.objects.filter(source=order.source, given_back_at=None).exists()


def test_page_that_was_not_opened_is_not_failed_while_it_can_be_paid():
    order = top_up(wallet(), 1_004)

    wait(timedelta(minutes=119))

    order.refresh_from_db()
    assert (order.state, order.queries, counts(order)) == ("requires_action", 3, True)


def test_page_that_was_not_opened_is_failed_at_the_question_after_two_hours():
    order = top_up(wallet(), 1_004)

    wait(timedelta(minutes=121))

    order.refresh_from_db()
    assert (order.state, order.queries, counts(order)) == ("failed", 4, False)


def test_page_paid_after_the_second_question_is_an_ordinary_success():
    purse = wallet()
    order = top_up(purse, 1_004)
    wait(timedelta(minutes=10))

    with clock.standing(clock.now() + timedelta(minutes=20)):
        gateway().confirm(order.public_id.hex, agreed=True)
    wait(timedelta(minutes=40))

    order.refresh_from_db()
    assert (order.state, holds(purse), counts(order)) == ("succeeded", eur(1_004), True)


def test_asking_out_of_turn_fails_no_page_early():
    order = top_up(wallet(), 1_004)

    for _ in range(3):
        janitor.ask(order=order)

    order.refresh_from_db()
    assert (order.state, counts(order)) == ("requires_action", True)


@pytest.mark.parametrize("state", ["pending", "unknown"])
def test_page_is_remembered_whatever_came_of_the_order_since(state):
    order = top_up(wallet(), 1_004)
    TopUp.objects.filter(pk=order.pk).update(state=state, action_url="", action_code="")

    wait(timedelta(minutes=119))

    order.refresh_from_db()
    assert order.state == state
