"""A member moves to another time zone, and their standing orders with them: no day is lost, and none is done twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.verification import discover
from tests.factories import cny, fund
from tests.wallets.factories import holds, wallet
from tests.wallets.standing import BEGIN, Every, fates, ordered, run_at, today
from wallets.models import StandingOrder, Wallet
from wallets.services import standing_orders, standing_runs

pytestmark = pytest.mark.django_db

__all__ = ["today"]

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # a day and an hour apart
HOME = "Asia/Shanghai"
DAY = timedelta(days=1)


def nine(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def living(zone: str, minor: int = 1_000_00) -> Wallet:
    purse = wallet(minor)
    members.edit(member=purse.member, by=SYSTEM, time_zone=zone)
    return Wallet.objects.get(pk=purse.pk)


def move(order: StandingOrder, zone: str) -> StandingOrder:
    members.edit(member=order.member, by=SYSTEM, time_zone=zone)
    order.refresh_from_db()
    return order


def carried_out(begin: datetime, end: datetime) -> list[datetime]:
    """Time goes by, hour by hour; the moments at which something was done. Hours at which nothing is due are passed."""
    done, moment = [], begin
    while moment <= end:
        due = standing_runs.next_due(EPOCH)
        if due is not None and due <= moment:
            with clock.standing(moment):
                done += [moment] * standing_runs.carry_out(now=moment)
        moment += timedelta(hours=1)
    return done


@pytest.mark.parametrize("zone", [EAST, WEST, "Europe/Berlin", "Asia/Kathmandu"])
def test_day_to_come_keeps_its_hour(zone):
    order = move(ordered(wallet(100_00), starts_on=BEGIN + 9 * DAY), zone)

    assert (order.next_on, order.next_at) == (BEGIN + 9 * DAY, nine(BEGIN + 9 * DAY, zone))


def test_what_is_done_after_a_move_is_done_at_nine_there():
    order = ordered(wallet(1_000_00), every=Every.DAY)
    run_at(BEGIN)
    with clock.standing(nine(BEGIN, HOME) + timedelta(hours=1)):
        move(order, "Europe/Berlin")

    assert run_at(BEGIN + DAY, 9, HOME) == 0
    assert run_at(BEGIN + DAY, 9, "Europe/Berlin") == 1
    assert fates(order) == [("2031-01-31", "paid"), ("2031-02-01", "paid")]


def test_day_whose_hour_has_passed_there_is_done_at_once():
    order = ordered(living(WEST), every=Every.MONTH)
    moment = nine(BEGIN, WEST) - timedelta(hours=2)
    with clock.standing(moment):
        assert move(order, HOME).next_at == moment
        assert standing_runs.carry_out(now=moment) == 1

    assert fates(order) == [("2031-01-31", "paid")]
    order.refresh_from_db()
    assert (order.next_on, order.next_at) == (date(2031, 2, 28), nine(date(2031, 2, 28), HOME))


@pytest.mark.parametrize("minutes", range(-26 * 60, 3 * 60, 170))
@pytest.mark.parametrize(("here", "there"), [(EAST, WEST), (WEST, EAST), (HOME, WEST), (WEST, HOME), (EAST, HOME)])
def test_whenever_somebody_moves_each_day_is_done_once(here, there, minutes):
    order = ordered(living(here), every=Every.DAY, count=4, to=wallet().member)
    moved = nine(BEGIN + DAY, here) + timedelta(minutes=minutes)

    carried_out(nine(BEGIN, here) - DAY, moved)
    with clock.standing(moved):
        move(order, there)
    carried_out(moved, nine(BEGIN + 4 * DAY, WEST))

    assert fates(order) == [(str(BEGIN + place * DAY), "paid") for place in range(4)]
    order.refresh_from_db()
    assert (order.state, order.runs_done) == ("ended", 4)


def test_day_that_is_late_already_stays_late():
    order = ordered(wallet(1_000_00), every=Every.DAY)
    late = nine(BEGIN + 3 * DAY, HOME) + timedelta(hours=1)
    with clock.standing(late):
        move(order, EAST)
        standing_runs.carry_out(now=late)

    assert [fate for _day, fate in fates(order)] == ["missed", "missed", "missed", "paid"]


def test_second_try_is_when_it_was_to_be():
    purse = wallet()
    order = ordered(purse, 100, every=Every.MONTH)
    run_at(BEGIN)
    order.refresh_from_db()
    again = order.next_at
    fund(purse.account, 100)

    with clock.standing(again - timedelta(hours=3)):
        assert move(order, "Asia/Tokyo").next_at == again
    with clock.standing(again):
        standing_runs.carry_out(now=again)

    assert (fates(order), holds(purse)) == ([("2031-01-31", "paid")], cny(0))


@pytest.mark.parametrize(("later", "fate"), [({}, "paid"), ({"days": 1}, "refused")])
def test_second_try_is_made_where_it_is_another_day_by_then_unless_it_comes_a_day_late(later, fate):
    """From nine to one in Shanghai, midnight passes in New York."""
    purse = wallet()
    order = ordered(purse, 100, every=Every.MONTH)
    run_at(BEGIN)
    order.refresh_from_db()
    again = order.next_at
    fund(purse.account, 100)

    with clock.standing(again - timedelta(hours=3)):
        move(order, "America/New_York")
    with clock.standing(again + timedelta(**later)):
        standing_runs.carry_out(now=again + timedelta(**later))

    assert fates(order) == [("2031-01-31", fate)]


def test_paused_order_goes_on_where_its_member_lives_then():
    order = ordered(wallet(100_00), starts_on=BEGIN + 9 * DAY)
    standing_orders.pause(order=order, by=SYSTEM)
    assert move(order, WEST).next_at is None

    resumed = standing_orders.resume(order=order, by=SYSTEM)

    assert resumed.next_at == nine(BEGIN + 9 * DAY, WEST)


def test_orders_of_others_stay_and_so_do_those_of_who_only_changes_their_name():
    mine, theirs = ordered(wallet(100_00)), ordered(wallet(100_00))
    move(mine, WEST)
    before = StandingOrder.objects.get(pk=theirs.pk).next_at
    members.edit(member=theirs.member, by=SYSTEM, display_name="Bo")

    assert StandingOrder.objects.get(pk=theirs.pk).next_at == before == nine(BEGIN, HOME)
    assert discover().run(only=["wallets"]).findings == []


def test_who_moved_and_was_then_not_served_for_days_pays_once():
    order = ordered(living(WEST), every=Every.DAY, to=wallet().member)
    moved = nine(BEGIN, WEST) - timedelta(minutes=30)
    with clock.standing(moved):
        move(order, EAST)

    late = moved + 5 * DAY
    with clock.standing(late):
        assert standing_runs.carry_out(now=late) == 1

    assert [fate for _day, fate in fates(order)].count("paid") == 1
    assert fates(order)[-1][1] == "paid"
