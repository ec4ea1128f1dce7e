"""Standing orders: set up with the PIN, done once on each due day, in order, whatever happens in between."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from members.models import Member, Notice
from members.services import members, notices, pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.deciding import items
from tests.wallets.factories import holds, wallet
from tests.wallets.standing import BEGIN, PIN, STAFF, Every, fates, ordered, run_at, today
from wallets import calendar
from wallets.models import StandingOrder, StandingRun, Transfer
from wallets.services import standing_orders, standing_runs
from wallets.services.standing_orders import (
    NoSuchOrder,
    OrderMalformed,
    OrderTooLarge,
)
from wallets.services.transfers import PayeeCannotReceive, ToOneself
from wallets.services.wording import ReferenceTaken

pytestmark = pytest.mark.django_db

__all__ = ["today"]


class TestDueDays:
    @pytest.mark.parametrize(
        ("start", "every", "days"),
        [
            ("2031-01-31", "month", ["2031-01-31", "2031-02-28", "2031-03-31", "2031-04-30"]),
            ("2031-12-30", "month", ["2031-12-30", "2032-01-30", "2032-02-29", "2032-03-30"]),
            ("2032-02-29", "year", ["2032-02-29", "2033-02-28", "2034-02-28", "2035-02-28"]),
            ("2031-01-31", "week", ["2031-01-31", "2031-02-07"]),
            ("2031-02-28", "day", ["2031-02-28", "2031-03-01"]),
            ("2031-01-31", "once", ["2031-01-31"]),
        ],
    )
    def test_days_of_each_rhythm(self, start, every, days):
        begin = date.fromisoformat(start)

        assert [str(calendar.due_day(begin, every, place)) for place in range(len(days))] == days

    @pytest.mark.parametrize("every", ["day", "week", "month", "year", "once"])
    def test_first_after_is_the_smallest_due_day_that_is_later(self, every):
        begin = date(2031, 1, 31)
        known = [calendar.due_day(begin, every, place) for place in range(60)]
        due = [day for day in known if day]
        for offset in range(-3, 59):
            day = begin + timedelta(days=offset)
            assert calendar.first_after(begin, every, day) == next((d for d in due if d > day), None)


def test_order_that_cannot_be_tried_keeps_no_other_from_its_day():
    broken, whole = (ordered(wallet(500)) for _ in range(2))
    Member.objects.filter(pk=broken.member_id).update(time_zone="Mars/Base")

    assert [run_at(BEGIN), run_at(BEGIN)] == [1, 0]
    assert (fates(broken), fates(whole)) == ([], [("2031-01-31", "paid")])
    assert OpenItem.objects.open().about(broken).get().kind == standing_runs.STUCK
    Member.objects.filter(pk=broken.member_id).update(time_zone="Asia/Shanghai")
    assert (run_at(BEGIN), fates(broken), items()) == (1, [("2031-01-31", "paid")], set())


class TestSettingUp:
    def test_it_takes_the_pin_whatever_the_amount(self, rows):
        purse = wallet(500)
        pins.set_pin(member=purse.member, pin=PIN, by=SYSTEM)
        before = rows()

        with pytest.raises(pins.PinMissing):
            ordered(purse, 1, to=None, pin=None)

        assert rows() == before

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"to": None}, PayeeCannotReceive),
            ({"minor": 2_000_001}, OrderTooLarge),
            ({"starts_on": BEGIN - timedelta(days=2)}, OrderMalformed),
            ({"starts_on": BEGIN + timedelta(days=4000)}, OrderMalformed),
            ({"ends_on": BEGIN - timedelta(days=1)}, OrderMalformed),
            ({"count": 0}, OrderMalformed),
            ({"every": "weekly"}, OrderMalformed),
            ({"count": 10_001}, OrderMalformed),
            # Whether there is such a payee is told last: what else is wrong is wrong with nobody, too.
            ({"to": None, "minor": 2_000_001}, OrderTooLarge),
            ({"to": None, "count": 0}, OrderMalformed),
        ],
    )
    def test_what_cannot_be_is_refused(self, fields, refusal):
        with pytest.raises(refusal):
            ordered(wallet(500), **fields)
        assert not StandingOrder.objects.exists()

    def test_none_to_oneself_and_none_by_the_suspended(self):
        purse = wallet(500)
        with pytest.raises(ToOneself):
            ordered(purse, to=purse.member)
        members.suspend(member=purse.member, by=STAFF, reason="asked")
        with pytest.raises(members.MemberSuspended):
            ordered(purse)

    def test_repeated_it_is_the_first_one(self):
        purse, ada = wallet(500), member()
        first = ordered(purse, to=ada)

        assert ordered(purse, to=ada) == first
        with pytest.raises(ReferenceTaken) as conflict:
            ordered(purse, to=ada, every=Every.WEEK)
        assert conflict.value.facts["fields"] == ["every"]

    def test_somebody_elses_is_not_found(self):
        order, mallory = ordered(wallet(500)), member()

        for act in (standing_orders.pause, standing_orders.resume, standing_orders.end):
            with pytest.raises(NoSuchOrder):
                act(order=order, member=mallory, by=SYSTEM)
        with pytest.raises(NoSuchOrder):
            standing_orders.of(member=mallory, public_id=order.public_id)

    def test_nine_is_by_the_clock_where_the_member_lives(self):
        purse = wallet(500, time_zone="America/New_York")

        order = ordered(purse)

        assert order.next_at == datetime(2031, 1, 31, 14, tzinfo=UTC)


class TestRuns:
    def test_nothing_before_its_time(self):
        ordered(wallet(500))

        assert run_at(BEGIN, 8) == 0

    def test_each_due_day_once_however_often_the_job_comes(self):
        purse, ada = wallet(500), member()
        order = ordered(purse, to=ada, note="rent")

        assert [run_at(BEGIN), run_at(BEGIN), run_at(BEGIN, 15), run_at(date(2031, 2, 28))] == [1, 0, 0, 1]

        assert fates(order) == [("2031-01-31", "paid"), ("2031-02-28", "paid")]
        assert holds(purse) == Money(300, "CNY")
        transfer = Transfer.objects.order_by("pk").first()
        assert transfer
        assert (transfer.receiver, transfer.note, transfer.occasion.partition(":")[0]) == (ada, "rent", "standing_run")
        order.refresh_from_db()
        assert (order.next_on, order.runs_done) == (date(2031, 3, 31), 2)

    def test_it_ends_after_its_count(self):
        order = ordered(wallet(500), every=Every.DAY, count=2)

        for offset in range(4):
            run_at(BEGIN + timedelta(days=offset))

        order.refresh_from_db()
        assert (order.state, order.next_on, len(fates(order))) == ("ended", None, 2)

    def test_it_ends_after_its_last_day(self):
        order = ordered(wallet(500), every=Every.DAY, ends_on=BEGIN + timedelta(days=1))

        for offset in range(4):
            run_at(BEGIN + timedelta(days=offset))

        order.refresh_from_db()
        assert (order.state, len(fates(order))) == ("ended", 2)

    def test_scheduled_transfer_is_one_for_a_day(self):
        purse = wallet(500)
        order = ordered(purse, every=Every.ONCE)

        run_at(BEGIN)
        run_at(BEGIN + timedelta(days=40))

        order.refresh_from_db()
        assert (order.state, holds(purse)) == ("ended", Money(400, "CNY"))

    def test_refused_it_says_so_and_is_tried_once_more_today(self):
        purse = wallet(99)
        order = ordered(purse)

        assert [run_at(BEGIN), run_at(BEGIN, 12)] == [1, 0]
        assert fates(order) == [("2031-01-31", "waiting")]
        fund(purse.account, 1)
        assert run_at(BEGIN, 13) == 1

        assert fates(order) == [("2031-01-31", "paid")]
        [told] = Notice.objects.filter(member=purse.member, kind__startswith="standing")
        assert (told.kind, told.facts["why"]["code"]) == ("standing_order_refused", "insufficient_funds")
        for language, why in (("en", "today: 0.99 CNY available"), ("zh-hans", "可用 0.99 CNY，需要")):
            with translation.override(language):
                assert why in notices.sentence(told)

    def test_refused_twice_the_day_is_over_and_the_next_one_comes(self):
        purse = wallet(99)
        order = ordered(purse)
        run_at(BEGIN)
        run_at(BEGIN, 13)

        fund(purse.account, 1)
        assert run_at(BEGIN, 20) == 0
        assert fates(order) == [("2031-01-31", "refused")]
        run = StandingRun.objects.get()
        assert (run.tries, run.refusal["code"]) == (2, "insufficient_funds")
        run_at(date(2031, 2, 28))
        assert fates(order)[1:] == [("2031-02-28", "paid")]
        order.refresh_from_db()
        assert order.refused_in_a_row == 0

    def test_day_whose_second_try_nobody_made_is_given_up_told_and_counted(self):
        purse = wallet(99)
        order = ordered(purse, count=2)
        run_at(BEGIN)

        run_at(date(2031, 2, 28), 21)

        assert fates(order) == [("2031-01-31", "refused"), ("2031-02-28", "refused")]
        order.refresh_from_db()
        assert (order.state, order.runs_done, order.refused_in_a_row) == ("ended", 2, 2)
        told = Notice.objects.filter(member=purse.member, kind="standing_order_given_up").order_by("pk")
        assert [(each.facts["day"], each.facts["why"]["code"]) for each in told] == [
            ("2031-01-31", "insufficient_funds"),
            ("2031-02-28", "insufficient_funds"),
        ]
        with translation.override("zh-hans"):
            assert all("可用 0.99 CNY，需要" in notices.sentence(each) for each in told)

    def test_second_try_that_the_next_day_overtook_is_given_up_so_that_money_leaves_once(self):
        """The first one came a day late, so that the second was to come after nine o'clock of the next due day."""
        purse = wallet(0)
        order = ordered(purse, every=Every.DAY)
        assert run_at(BEGIN + timedelta(days=1), 8) == 1
        assert fates(order) == [("2031-01-31", "waiting")]
        fund(purse.account, 500)

        assert run_at(BEGIN + timedelta(days=2), 8) == 1
        assert fates(order) == [("2031-01-31", "refused"), ("2031-02-01", "paid")]
        assert holds(purse) == Money(400, "CNY")

    @pytest.mark.parametrize(
        ("every", "after"), [(Every.MONTH, ("active", date(2031, 2, 28))), (Every.ONCE, ("ended", None))]
    )
    @pytest.mark.parametrize("days", [1, 27])
    def test_second_try_is_made_today_or_not_at_all(self, every, after, days):
        purse = wallet(99)
        order = ordered(purse, every=every)
        run_at(BEGIN)
        fund(purse.account, 500)

        assert [run_at(BEGIN + timedelta(days=days), 8), run_at(BEGIN + timedelta(days=days), 8)] == [1, 0]

        assert (fates(order), holds(purse)) == ([("2031-01-31", "refused")], Money(599, "CNY"))
        assert StandingRun.objects.get().tries == 1
        order.refresh_from_db()
        assert ((order.state, order.next_on), order.runs_done, order.refused_in_a_row) == (after, 1, 1)
        told = Notice.objects.filter(member=purse.member, kind__startswith="standing").order_by("pk")
        assert [each.kind for each in told] == ["standing_order_refused", "standing_order_given_up"]
        assert (told[1].facts["day"], told[1].facts["why"]["code"]) == ("2031-01-31", "insufficient_funds")

    def test_second_try_is_still_made_late_in_the_same_day(self):
        purse = wallet(99)
        order = ordered(purse)
        run_at(BEGIN)
        fund(purse.account, 1)

        assert run_at(BEGIN, 23) == 1
        assert fates(order) == [("2031-01-31", "paid")]

    def test_last_day_whose_second_try_nobody_made_ends_it(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY, count=2)
        for day, hour in ((0, 9), (0, 13), (1, 9)):
            run_at(BEGIN + timedelta(days=day), hour)
        fund(purse.account, 500)

        run_at(BEGIN + timedelta(days=30))

        order.refresh_from_db()
        assert (order.state, order.runs_done, holds(purse)) == ("ended", 2, Money(599, "CNY"))
        assert fates(order) == [("2031-01-31", "refused"), ("2031-02-01", "refused")]

    def test_third_day_in_a_row_whose_second_try_nobody_made_pauses_it_before_the_next_day(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.WEEK)
        for week in range(3):
            run_at(BEGIN + timedelta(weeks=week))
        fund(purse.account, 500)

        run_at(BEGIN + timedelta(weeks=2, days=1))

        order.refresh_from_db()
        assert (order.state, order.refused_in_a_row, holds(purse)) == ("paused", 3, Money(599, "CNY"))

    def test_day_that_is_over_is_neither_told_nor_counted_again(self):
        purse = wallet(100)
        order = ordered(purse, every=Every.DAY)
        run_at(BEGIN)
        StandingOrder.objects.update(next_on=order.next_on, next_at=order.next_at)

        run_at(BEGIN + timedelta(days=1), 21)

        assert fates(order) == [("2031-01-31", "paid"), ("2031-02-01", "refused")]
        order.refresh_from_db()
        assert (order.runs_done, order.refused_in_a_row) == (2, 1)
        told = Notice.objects.filter(member=purse.member, kind__startswith="standing")
        assert [(each.kind, each.facts["day"]) for each in told] == [("standing_order_given_up", "2031-02-01")]

    @pytest.mark.parametrize(("count", "after"), [(None, "active"), (2, "active"), (1, "ended")])
    @pytest.mark.parametrize("fate", ["paid", "refused", "missed"])
    def test_day_that_is_over_is_not_paid_again(self, fate, count, after):
        """No service leaves an order on such a day; its row is set back by hand."""
        purse = wallet(500 if fate == "paid" else 0)
        order = ordered(purse, every=Every.DAY, count=count)
        coming = {"state": order.state, "next_on": order.next_on, "next_at": order.next_at}
        for hour in (9, 13):
            run_at(BEGIN, hour)
        if fate == "missed":
            StandingRun.objects.update(state=fate)
        StandingOrder.objects.update(**coming)
        fund(purse.account, 500)
        left, told = holds(purse), Notice.objects.count()

        assert [run_at(BEGIN, 14), run_at(BEGIN, 14)] == [1, 0]

        assert (fates(order), holds(purse), Notice.objects.count()) == ([("2031-01-31", fate)], left, told)
        order.refresh_from_db()
        assert (order.state, order.runs_done) == (after, 1)
        run_at(BEGIN + timedelta(days=1))
        assert [each for _day, each in fates(order)] == ([fate] if count == 1 else [fate, "paid"])

    def test_refused_late_in_the_day_it_is_not_tried_on_another(self):
        order = ordered(wallet(99))

        run_at(BEGIN, 21)

        assert fates(order) == [("2031-01-31", "refused")]

    def test_refused_three_days_in_a_row_it_pauses_and_says_so(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        for offset in range(5):
            run_at(BEGIN + timedelta(days=offset))
            run_at(BEGIN + timedelta(days=offset), 13)

        order.refresh_from_db()
        assert (order.state, order.next_at, len(fates(order))) == ("paused", None, 3)
        assert Notice.objects.filter(member=purse.member, kind="standing_order_paused").count() == 1

    def test_third_day_in_a_row_that_is_given_up_pauses_it_before_it_is_tried_again(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        for offset in range(4):
            run_at(BEGIN + timedelta(days=offset))

        order.refresh_from_db()
        assert (order.state, order.next_at, order.refused_in_a_row) == ("paused", None, 3)
        assert fates(order) == [("2031-01-31", "refused"), ("2031-02-01", "refused"), ("2031-02-02", "refused")]
        (told,) = Notice.objects.filter(member=purse.member, kind="standing_order_paused")
        assert told.facts["times"] == 3

    def test_of_missed_days_only_the_latest_is_done(self):
        purse = wallet(500)
        order = ordered(purse, every=Every.DAY)

        run_at(BEGIN + timedelta(days=3))

        assert [state for _day, state in fates(order)] == ["missed", "missed", "missed", "paid"]
        assert holds(purse) == Money(400, "CNY")
        order.refresh_from_db()
        assert (order.runs_done, order.next_on) == (4, BEGIN + timedelta(days=4))

    def test_missed_days_count_and_none_follows_the_last(self):
        order = ordered(wallet(500), every=Every.DAY, count=3)

        run_at(BEGIN + timedelta(days=30))

        assert fates(order) == [("2031-01-31", "missed"), ("2031-02-01", "missed"), ("2031-02-02", "paid")]

    def test_day_that_waits_when_the_next_has_come_is_refused(self):
        purse = wallet(99)
        order = ordered(purse, every=Every.DAY)
        run_at(BEGIN)
        fund(purse.account, 1)

        run_at(BEGIN + timedelta(days=1))

        assert [state for _day, state in fates(order)] == ["refused", "paid"]

    @pytest.mark.parametrize("what", ["suspended sender", "closed payee"])
    def test_it_survives_any_refusal(self, what):
        purse, ada = wallet(500), member()
        order = ordered(purse, to=ada, every=Every.DAY)
        if what == "suspended sender":
            members.suspend(member=purse.member, by=STAFF, reason="asked")
        else:
            members.close(member=ada, by=STAFF, reason="gone")

        run_at(BEGIN)

        assert fates(order) == [("2031-01-31", "waiting")]
        assert holds(purse) == Money(500, "CNY")

    def test_job_is_due_when_the_first_order_is(self):
        order = ordered(wallet(500))

        assert standing_runs.next_due(clock.now()) == order.next_at
        run_at(BEGIN)
        order.refresh_from_db()
        assert standing_runs.next_due(clock.now()) == order.next_at
