"""Standing orders that are paused, by their member or by staff, and go on."""

from datetime import timedelta

import pytest

from members.models import Notice
from members.services import members, notices
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import discover
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.factories import wallet
from tests.wallets.standing import BEGIN, STAFF, Every, at, fates, ordered, run_at, today
from wallets.models import StandingOrder, Wallet
from wallets.services import standing_orders
from wallets.services.standing_orders import OrderNotOpen, OrderOver
from wallets.services.standing_pauses import OrderHeld, OrderPausedByMember

pytestmark = pytest.mark.django_db

__all__ = ["today"]


def refused_until_paused(purse: Wallet) -> StandingOrder:
    order = ordered(purse, every=Every.DAY)
    for offset in range(3):
        for hour in (9, 13):
            run_at(BEGIN + timedelta(days=offset), hour)
    order.refresh_from_db()
    assert order.paused_by == str(SYSTEM)
    return order


def heard(purse: Wallet) -> list[str]:
    told = Notice.objects.filter(member=purse.member, subject__startswith="standing_order:").order_by("pk")
    return [notices.sentence(each) for each in told]


def told_of(order: StandingOrder) -> list[str]:
    """Who paused it, as the trail tells."""
    return list(AuditEntry.objects.of(order).filter(act="standing_order.paused").values_list("by", flat=True))


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

    @pytest.mark.parametrize("before", ["active", "paused"])
    def test_what_its_member_pauses_while_staff_hold_it_stays_paused_by_them(self, before):
        purse = wallet(500)
        own = {"member": purse.member, "by": Actor.of(purse.member.user)}
        order = ordered(purse)
        if before == "paused":
            # What they paused and resumed before does not count.
            standing_orders.resume(order=standing_orders.pause(order=order, **own), **own)
        standing_orders.pause(order=order, by=STAFF)

        for _ in range(2):
            order = standing_orders.pause(order=order, **own)
            assert (order.state, order.paused_by) == ("paused", str(STAFF))
        assert told_of(order).count(str(own["by"])) == (2 if before == "paused" else 1)
        with pytest.raises(OrderHeld):
            standing_orders.resume(order=order, **own)
        order = standing_orders.resume(order=order, by=STAFF)

        assert (order.state, order.paused_by) == ("paused", str(own["by"]))
        assert discover().run(only=["wallets"]).findings == []
        assert standing_orders.resume(order=order, **own).state == "active"

    def test_what_its_member_pauses_when_it_was_paused_for_its_refusals_only_they_resume(self):
        purse = wallet(99)
        own = {"member": purse.member, "by": Actor.of(purse.member.user)}
        order = refused_until_paused(purse)

        for _ in range(2):
            order = standing_orders.pause(order=order, **own)
        with pytest.raises(OrderPausedByMember):
            standing_orders.resume(order=order, by=STAFF)
        order = standing_orders.resume(order=standing_orders.pause(order=order, by=STAFF), by=STAFF)

        assert (order.state, order.paused_by) == ("paused", str(own["by"]))
        assert discover().run(only=["wallets"]).findings == []
        with at(BEGIN + timedelta(days=5)):
            assert standing_orders.resume(order=order, **own).state == "active"

    @pytest.mark.parametrize("who", ["staff", "member"])
    def test_what_was_paused_for_its_refusals_either_resumes(self, who):
        purse = wallet(99)
        order = refused_until_paused(purse)

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


class TestTelling:
    """The member hears of what staff do to their order, and of nothing that they do themselves."""

    def test_paused_let_go_and_ended_by_staff(self):
        purse = wallet(500)
        order = standing_orders.pause(order=ordered(purse, every=Every.DAY, to=member(handle="ada")), by=STAFF)
        for _ in range(2):
            order = standing_orders.resume(order=order, by=STAFF)
        order = standing_orders.pause(order=order, by=STAFF)
        standing_orders.pause(order=order, member=purse.member, by=Actor.of(purse.member.user))
        standing_orders.resume(order=order, by=STAFF)
        for _ in range(2):
            standing_orders.end(order=order, by=STAFF)

        paused = "We paused your standing order of 1.00 CNY to @ada. Nothing is sent before we resume it."
        assert heard(purse) == [
            paused,
            "We resumed your standing order of 1.00 CNY to @ada. It is due next on 31 Jan 2031.",
            paused,
            "We hold your standing order of 1.00 CNY to @ada no more. You paused it, and can resume it now.",
            "We ended your standing order of 1.00 CNY to @ada. Nothing more is sent.",
        ]

    @pytest.mark.parametrize("what", ["pause", "end"])
    def test_what_was_to_be_tried_once_more_today_is_not(self, what):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        run_at(BEGIN)
        with at(BEGIN, 10):
            getattr(standing_orders, what)(order=order, by=STAFF)
        run_at(BEGIN, 13)

        kinds = Notice.objects.filter(subject__startswith="standing").order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["standing_order_refused", f"standing_order_{'held' if what == 'pause' else 'ended'}"]

    def test_what_they_do_themselves(self):
        purse = wallet(500)
        own = {"member": purse.member, "by": Actor.of(purse.member.user)}
        order = ordered(purse)
        for act in (standing_orders.pause, standing_orders.resume, standing_orders.end):
            act(order=order, **own)

        assert heard(purse) == []
