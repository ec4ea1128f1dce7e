"""When a standing order goes next, and who paused it, follow from what was done; else verify names the order."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F

from members.services import members
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from tests.factories import fund
from tests.wallets.factories import wallet
from tests.wallets.standing import BEGIN, STAFF, Every, at, ordered, run_at, today
from wallets.models import StandingOrder, Wallet
from wallets.services import standing_orders

pytestmark = [pytest.mark.once, pytest.mark.django_db]

__all__ = ["today"]

CHECKS = ["wallets.next_turn_follows", "wallets.paused_by_as_told"]
DAY = timedelta(days=1)


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=CHECKS).findings]


def own(purse: Wallet) -> dict[str, Any]:
    return {"member": purse.member, "by": Actor.of(purse.member.user)}


def resumed(order: StandingOrder, day: date, hour: int = 10) -> StandingOrder:
    with at(day, hour):
        return standing_orders.resume(order=standing_orders.pause(order=order, by=STAFF), by=STAFF)


def new() -> StandingOrder:
    return ordered(wallet(500))


def after_a_run() -> StandingOrder:
    order = ordered(wallet(500))
    run_at(BEGIN)
    return order


def waiting() -> StandingOrder:
    order = ordered(wallet(0))
    run_at(BEGIN)
    return order


def given_up() -> StandingOrder:
    order = ordered(wallet(0), every=Every.DAY)
    run_at(BEGIN)
    run_at(BEGIN, 13)
    return order


def after_days_missed() -> StandingOrder:
    order = ordered(wallet(500), every=Every.WEEK)
    run_at(BEGIN + timedelta(weeks=3))
    return order


def resumed_before_the_first() -> StandingOrder:
    return resumed(ordered(wallet(500)), BEGIN - DAY)


def resumed_at_nine() -> StandingOrder:
    return resumed(after_a_run_each_day(), BEGIN + 3 * DAY, 9)


def resumed_later() -> StandingOrder:
    return resumed(after_a_run(), BEGIN + 100 * DAY)


def resumed_and_run() -> StandingOrder:
    order = resumed(after_a_run_each_day(), BEGIN + 9 * DAY)
    run_at(BEGIN + 10 * DAY)
    return order


def after_a_run_each_day() -> StandingOrder:
    order = ordered(wallet(500), every=Every.DAY)
    run_at(BEGIN)
    return order


def after_a_move() -> StandingOrder:
    order = after_a_run()
    with at(BEGIN, 12):
        members.edit(member=order.member, by=SYSTEM, time_zone="America/New_York")
    return order


def late_because_of_a_move() -> StandingOrder:
    order = ordered(wallet(500, time_zone="America/New_York"))
    with at(BEGIN, 12):
        members.edit(member=order.member, by=SYSTEM, time_zone="Asia/Shanghai")
    return order


def late_before_a_move() -> StandingOrder:
    order = new()
    with at(BEGIN, 12):
        members.edit(member=order.member, by=SYSTEM, time_zone="America/New_York")
    return order


ACTIVE = [
    new,
    after_a_run,
    waiting,
    given_up,
    after_days_missed,
    resumed_before_the_first,
    resumed_at_nine,
    resumed_later,
    resumed_and_run,
    after_a_move,
    late_because_of_a_move,
    late_before_a_move,
]


@pytest.mark.parametrize("make", ACTIVE)
def test_order_left_by_services_is_clean(make: Callable[[], StandingOrder]) -> None:
    assert make().state == "active"
    assert named() == []


@pytest.mark.parametrize("make", ACTIVE)
@pytest.mark.parametrize(
    "edit",
    [
        {"next_at": F("next_at") - timedelta(hours=10)},
        {"next_at": F("next_at") + timedelta(days=9_000)},
        {"next_on": date(2090, 1, 31), "next_at": "2090-01-31T01:00:00Z"},
        {"next_on": BEGIN - DAY},
    ],
    ids=["sooner", "never", "in another life", "on another day"],
)
def test_turn_that_was_edited_is_named(make: Callable[[], StandingOrder], edit: dict[str, Any]) -> None:
    new()
    order = make()
    StandingOrder.objects.filter(pk=order.pk).update(**edit)

    assert named() == [f"standing order {order.public_id}"]


def test_day_of_which_nothing_became_is_not_passed_over() -> None:
    order = after_a_run_each_day()
    StandingOrder.objects.update(next_on=F("next_on") + DAY, next_at=F("next_at") + DAY)

    assert named() == [f"standing order {order.public_id}"]


def paused_by_staff() -> StandingOrder:
    return standing_orders.pause(order=new(), by=STAFF)


def paused_by_its_member() -> StandingOrder:
    purse = wallet(500)
    return standing_orders.pause(order=ordered(purse), **own(purse))


def paused_for_refusals() -> StandingOrder:
    order = ordered(wallet(0), every=Every.DAY)
    for day in range(3):
        for hour in (9, 13):
            run_at(BEGIN + timedelta(days=day), hour)
    order.refresh_from_db()
    return order


def paused_by_staff_and_its_member() -> StandingOrder:
    purse = wallet(500)
    order = standing_orders.pause(order=ordered(purse), by=STAFF)
    return standing_orders.pause(order=order, **own(purse))


def paused_by_its_member_and_staff() -> StandingOrder:
    return standing_orders.pause(order=paused_by_its_member(), by=STAFF)


def let_go_by_staff() -> StandingOrder:
    return standing_orders.resume(order=paused_by_its_member_and_staff(), by=STAFF)


def held_again_by_staff() -> StandingOrder:
    return standing_orders.pause(order=let_go_by_staff(), by=STAFF)


def paused_by_its_member_after_refusals() -> StandingOrder:
    order = paused_for_refusals()
    return standing_orders.pause(order=order, member=order.member, by=Actor.of(order.member.user))


def paused_after_it_was_resumed() -> StandingOrder:
    order = standing_orders.resume(order=paused_by_staff(), by=STAFF)
    return standing_orders.pause(order=order, member=order.member, by=Actor.of(order.member.user))


PAUSED = {
    paused_by_staff: "staff",
    paused_by_its_member: "member",
    paused_for_refusals: "system",
    paused_by_staff_and_its_member: "staff",
    paused_by_its_member_and_staff: "staff",
    let_go_by_staff: "member",
    held_again_by_staff: "staff",
    paused_by_its_member_after_refusals: "member",
    paused_after_it_was_resumed: "member",
}


@pytest.mark.parametrize(("make", "by"), PAUSED.items())
def test_order_that_is_paused_is_clean(make: Callable[[], StandingOrder], by: str) -> None:
    assert make().paused_by.startswith(f"{by}:")
    assert named() == []


@pytest.mark.parametrize("make", PAUSED)
@pytest.mark.parametrize("by", ["staff:99", "system:paymentsite", "its member", ""])
def test_pause_of_another_is_named(make: Callable[[], StandingOrder], by: str) -> None:
    order = make()
    if (by := f"member:{order.member_id}" if by == "its member" else by) == order.paused_by:
        by = "member:0"
    StandingOrder.objects.filter(pk=order.pk).update(paused_by=by)

    assert named() == [f"standing order {order.public_id}"]


def test_order_is_clean_through_a_year_of_refusals_and_pauses() -> None:
    purse = wallet(0)
    order = ordered(purse, every=Every.WEEK)
    for week in range(52):
        day = BEGIN + timedelta(weeks=week)
        if week % 3 == 0:
            fund(purse.account, 150)
        for hour in (9, 13):
            run_at(day, hour)
            assert named() == []
        order.refresh_from_db()
        if order.state == "paused":
            with at(day + DAY):
                order = standing_orders.resume(order=order, by=STAFF)
            assert named() == []
