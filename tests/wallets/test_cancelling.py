"""Pages and codes that nobody acts on: taken back when their time is over, or before, and never while in doubt."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from members.models import LimitUse
from members.services.limits import BalanceLimitExceeded
from paymentsite.core import clock
from paymentsite.core.actors import Actor, OwnMatter
from tests.members.limiting import cap
from tests.wallets.deciding import clean, items, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, sandboxes, top_up, wallet, withdraw
from wallets.gateways.base import OrderKind, Outcome
from wallets.models import TopUp
from wallets.services import janitor, leaving, orders, top_ups
from wallets.services.top_ups import CannotCancel, NoSuchTopUp, NothingToCancel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

NEVER_OPENED = 1_022


@pytest.fixture
def unable(routed: None, tmp_path: Path) -> Iterator[None]:
    with sandboxes(tmp_path, "sandbox", adapter="tests.wallets.gateways.Unable"):
        yield


@pytest.fixture
def silent(routed: None, tmp_path: Path) -> Iterator[None]:
    with sandboxes(tmp_path, "sandbox", adapter="tests.wallets.gateways.Silent"):
        yield


def given_back() -> bool:
    return not LimitUse.objects.filter(given_back_at=None).exists()


def by_member(order: TopUp) -> Actor:
    return Actor.of(order.member.user)


def test_page_that_nobody_opened_waits_until_it_is_over():
    order = top_up(wallet(), NEVER_OPENED)

    let_time_pass(janitor.PAGES_OVER - timedelta(seconds=1))

    order.refresh_from_db()
    assert (order.state, given_back()) == ("requires_action", False)


def test_page_that_nobody_opened_is_taken_back_when_it_is_over():
    purse = wallet()
    cap(1_500, measure="balance", period="always", currency="EUR", member=purse.member)
    order = top_up(purse, NEVER_OPENED)
    with pytest.raises(BalanceLimitExceeded):
        top_up(purse, 1_000, reference="r2")

    let_time_pass(timedelta(hours=3))

    order.refresh_from_db()
    assert (order.state, given_back(), items(), clean()) == ("failed", True, set(), True)
    assert top_up(purse, 1_000, reference="r2").state == "succeeded"
    assert gateway().query(order.public_id.hex, OrderKind.TOP_UP).outcome == Outcome.FAILED


def test_member_who_opened_no_page_can_leave_when_it_is_over():
    purse = wallet()
    top_up(purse, NEVER_OPENED)

    let_time_pass(timedelta(hours=3))

    with clock.standing(clock.now() + timedelta(hours=3)):
        leaving.leave(member=purse.member, by=Actor.of(purse.member.user), reason="bye")
    purse.member.refresh_from_db()
    assert purse.member.state == "closed"


def test_page_that_is_over_cannot_be_paid_any_more():
    purse = wallet()
    order = top_up(purse, NEVER_OPENED)
    let_time_pass(timedelta(hours=3))

    gateway().confirm(order.public_id.hex, agreed=True)
    let_time_pass(since=clock.now() + timedelta(hours=3))

    assert holds(purse) == eur(0)


@pytest.mark.usefixtures("unable")
def test_gateway_that_cannot_take_it_back_is_asked_until_a_person_looks():
    order = top_up(wallet(), NEVER_OPENED)

    let_time_pass(timedelta(days=1, minutes=1))

    order.refresh_from_db()
    assert (order.state, items(), given_back()) == ("requires_action", {"order_stuck"}, False)


@pytest.mark.usefixtures("silent")
def test_taken_back_without_an_answer_it_is_failed_at_the_next_question():
    order = top_up(wallet(), NEVER_OPENED)

    let_time_pass(timedelta(hours=3), notified=False)
    order.refresh_from_db()
    assert (order.state, given_back()) == ("requires_action", False)

    let_time_pass(timedelta(days=1), since=clock.now() + timedelta(hours=3), notified=False)
    order.refresh_from_db()
    assert (order.state, given_back(), clean()) == ("failed", True, True)


def test_payout_that_waits_for_its_member_is_not_taken_back():
    purse = wallet(5_000)
    order = withdraw(purse, NEVER_OPENED)

    let_time_pass(timedelta(hours=3))

    order.refresh_from_db()
    assert order.state == "requires_action"


@pytest.mark.parametrize("minor", [1_000, 1_001, 1_002, 1_010, 1_016])
def test_what_does_not_wait_for_the_member_cannot_be_cancelled(minor):
    order = top_up(wallet(), minor)

    with pytest.raises(NothingToCancel) as refused:
        top_ups.cancel(order=order, member=order.member, by=by_member(order))

    assert str(refused.value.facts["state"]) == order.state


@pytest.mark.usefixtures("unable")
def test_gateway_that_cannot_take_it_back_is_not_asked_to():
    order = top_up(wallet(), NEVER_OPENED)

    with pytest.raises(CannotCancel):
        top_ups.cancel(order=order, member=order.member, by=by_member(order))


def test_nothing_is_cancelled_inside_a_transaction():
    order = top_up(wallet(), NEVER_OPENED)

    with transaction.atomic(), pytest.raises(RuntimeError):
        top_ups.cancel(order=order, member=order.member, by=by_member(order))

    order.refresh_from_db()
    assert order.state == "requires_action"


@pytest.mark.parametrize("origin", ["request", "staff"])
def test_cancelled_at_once_it_failed_and_is_on_record(origin):
    order = top_up(wallet(), NEVER_OPENED)
    by = by_member(order) if origin == "request" else staff()

    found = top_ups.cancel(order=order, by=by, member=order.member if origin == "request" else None)

    asked, ended = orders.events(order).order_by("pk")[2:]
    assert (found.state, given_back(), clean()) == ("failed", True, True)
    assert (asked.origin, asked.actor, ended.state, ended.outcome) == (origin, str(by), "failed", "failed")


def test_cancelled_twice_it_is_refused_the_second_time():
    order = top_up(wallet(), NEVER_OPENED)
    top_ups.cancel(order=order, member=order.member, by=by_member(order))

    with pytest.raises(NothingToCancel):
        top_ups.cancel(order=order, member=order.member, by=by_member(order))


def test_paid_while_it_is_cancelled_it_is_on_the_wallet():
    purse = wallet()
    order = top_up(purse, NEVER_OPENED)
    gateway().confirm(order.public_id.hex, agreed=True)

    found = top_ups.cancel(order=order, member=order.member, by=by_member(order))

    assert (found.state, holds(purse), clean()) == ("succeeded", eur(NEVER_OPENED), True)


@pytest.mark.usefixtures("silent")
def test_cancelled_without_an_answer_it_stays_as_it_was():
    order = top_up(wallet(), NEVER_OPENED)

    assert top_ups.cancel(order=order, member=order.member, by=by_member(order)).state == "requires_action"
    assert not given_back()


def test_somebody_elses_top_up_is_none_and_staff_take_back_none_of_their_own():
    order, stranger = top_up(wallet(), NEVER_OPENED), wallet().member

    with pytest.raises(NoSuchTopUp):
        top_ups.cancel(order=order, member=stranger, by=Actor.of(stranger.user))
    with pytest.raises(OwnMatter):
        top_ups.cancel(order=order, by=by_member(order))

    order.refresh_from_db()
    assert order.state == "requires_action"
