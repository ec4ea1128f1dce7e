"""Standing orders that are paused, by their member or by staff, and go on."""

from datetime import timedelta

import pytest

from members.services import members
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.verification import discover
from tests.factories import fund
from tests.wallets.factories import wallet
from tests.wallets.standing import BEGIN, STAFF, Every, at, fates, ordered, run_at, today
from wallets.services import standing_orders
from wallets.services.standing_orders import (
    OrderHeld,
    OrderNotOpen,
    OrderOver,
    OrderPausedByMember,
)

pytestmark = pytest.mark.django_db

__all__ = ["today"]


class TestPausing:
    def test_paused_nothing_is_done_nor_made_up_for(self):
        purse = wallet(500)
        order = ordered(purse, every=Every.DAY, count=2)
        standing_orders.pause(order=order, member=purse.member, by=Actor.of(purse.member.user))

        assert run_at(BEGIN + timedelta(days=3)) == 0
        with at(BEGIN + timedelta(days=3), 10):
            order = standing_orders.resume(order=order, member=purse.member, by=Actor.of(purse.member.user))

        assert order.next_on == BEGIN + timedelta(days=4)
        run_at(BEGIN + timedelta(days=4))
        assert fates(order) == [("2031-02-04", "paid")]

    def test_what_staff_paused_the_member_does_not_resume(self):
        purse = wallet(500)
        order = standing_orders.pause(order=ordered(purse), by=STAFF)

        with pytest.raises(OrderHeld):
            standing_orders.resume(order=order, member=purse.member, by=Actor.of(purse.member.user))
        assert standing_orders.resume(order=order, by=STAFF).state == "active"

    def test_staff_hold_also_what_its_member_has_paused(self):
        purse = wallet(500)
        own = Actor.of(purse.member.user)
        order = standing_orders.pause(order=ordered(purse), member=purse.member, by=own)

        for by in (STAFF, STAFF):
            order = standing_orders.pause(order=order, by=by)

        assert order.paused_by == str(STAFF)
        with pytest.raises(OrderHeld):
            standing_orders.resume(order=order, member=purse.member, by=own)

    def test_what_its_member_paused_nobody_else_resumes(self, rows):
        purse = wallet(500)
        own = Actor.of(purse.member.user)
        order = standing_orders.pause(order=ordered(purse), member=purse.member, by=own)
        before = rows()

        for by in (STAFF, SYSTEM):
            with pytest.raises(OrderPausedByMember):
                standing_orders.resume(order=order, by=by)
        assert rows() == before
        assert run_at(BEGIN) == 0
        assert standing_orders.resume(order=order, member=purse.member, by=own).state == "active"

    def test_what_staff_hold_and_let_go_stays_paused_by_the_member_who_had_paused_it(self):
        purse = wallet(500)
        own = Actor.of(purse.member.user)
        order = ordered(purse)
        for _ in range(2):
            order = standing_orders.pause(order=order, member=purse.member, by=own)
            for _ in range(2):
                order = standing_orders.pause(order=order, by=STAFF)
                order = standing_orders.resume(order=order, by=STAFF, reason="nothing is wrong")
                assert (order.state, order.next_on, order.paused_by) == ("paused", None, str(own))
            with pytest.raises(OrderPausedByMember):
                standing_orders.resume(order=order, by=STAFF)
            assert discover().run(only=["wallets"]).findings == []
            order = standing_orders.resume(order=order, member=purse.member, by=own)

        assert order.state == "active"
        # What they paused and resumed before does not count.
        order = standing_orders.pause(order=order, by=STAFF)
        assert standing_orders.resume(order=order, by=STAFF).state == "active"

    def test_hold_of_a_suspended_members_order_that_they_paused_is_let_go(self):
        purse = wallet(500)
        own = Actor.of(purse.member.user)
        order = standing_orders.pause(order=ordered(purse, every=Every.ONCE), member=purse.member, by=own)
        order = standing_orders.pause(order=order, by=STAFF)
        members.suspend(member=purse.member, by=STAFF, reason="asked")

        with at(BEGIN, 10):
            assert standing_orders.resume(order=order, by=STAFF).paused_by == str(own)

    @pytest.mark.parametrize("who", ["staff", "member"])
    def test_what_was_paused_for_its_refusals_either_resumes(self, who):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        for offset in range(3):
            for hour in (9, 13):
                run_at(BEGIN + timedelta(days=offset), hour)
        order.refresh_from_db()
        assert order.paused_by == str(SYSTEM)

        by = {"by": STAFF} if who == "staff" else {"by": Actor.of(purse.member.user), "member": purse.member}
        assert standing_orders.resume(order=order, **by).state == "active"

    def test_paused_between_two_tries_the_day_is_refused_for_good(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        run_at(BEGIN)
        standing_orders.pause(order=order, by=STAFF)
        fund(purse.account, 100)
        with at(BEGIN, 12):
            standing_orders.resume(order=order, by=STAFF)

        assert run_at(BEGIN, 13) == 0
        assert fates(order) == [("2031-01-31", "refused")]

    def test_nothing_is_left_to_resume(self):
        order = ordered(wallet(500), every=Every.ONCE)
        standing_orders.pause(order=order, by=STAFF)

        with at(BEGIN, 10), pytest.raises(OrderOver):
            standing_orders.resume(order=order, by=STAFF)

    def test_ended_it_is_over(self):
        order = ordered(wallet(500))
        standing_orders.end(order=order, by=STAFF)
        standing_orders.end(order=order, by=STAFF)

        assert run_at(BEGIN) == 0
        for act in (standing_orders.pause, standing_orders.resume):
            with pytest.raises(OrderNotOpen):
                act(order=order, by=STAFF)
