"""Standing orders in histories: each due day once, whatever was forgotten, refused or paused meanwhile."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.people import day_of
from tests.wallets.histories.plans import AGAIN_AFTER, AMOUNT_MAX, REFUSED_MAX, TRIES_MAX, Ordered, nine
from tests.wallets.histories.sending import Sending
from tests.wallets.histories.stage import PIN
from tests.wallets.histories.world import DONE, PEOPLE, amounts, pairs, some
from wallets.models import StandingOrder, StandingRun
from wallets.services import standing_orders, standing_runs


class Ordering(Sending):
    def __init__(self) -> None:
        super().__init__()
        self.ordered: list[Ordered] = []

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        two = (one, (one + 1) % PEOPLE)
        self.order(two, 1 + number // 8, "day", 1, 5)
        match number % 8:
            case 2:
                self.order_what_cannot_be_paid(two, 1 + number, 5)
            case 3 | 4:
                self.order_and_wait(two, 1 + number, 2)

    @rule(
        two=pairs,
        minor=amounts,
        every=st.sampled_from(["day", "day", "week", "once"]),
        ahead=st.sampled_from([0, 1, 1, 2, -1]),
        count=st.integers(1, 5),
    )
    def order(self, two: tuple[int, int], minor: int, every: str, ahead: int, count: int) -> None:
        one, other = two
        starts, count = day_of(self.now) + timedelta(days=ahead), 1 if every == "once" else count
        made = self.do(
            "order",
            lambda: standing_orders.make(
                member=self.member(one),
                payee=self.member(other),
                amount=Money(minor, "CNY"),
                plan=standing_orders.Plan(StandingOrder.Every(every), starts, count=count),
                reference=self.reference(),
                by=self.actor(one),
                pin=PIN,
            ),
            expected=self._cannot_order(one, other, minor, ahead) or DONE,
        )
        if made:
            self.ordered.append(Ordered(made.pk, one, other, minor, every, starts, count, starts, nine(starts)))

    def _cannot_order(self, one: int, other: int, minor: int, ahead: int) -> str:
        if one == other:
            return "transfer_to_oneself"
        if self.people[one].suspended:
            return "member_suspended"
        if minor > AMOUNT_MAX:
            return "standing_order_too_large"
        return "standing_order_malformed" if ahead < 0 else ""

    @rule(two=pairs, minor=st.integers(1, 60), days=st.integers(1, 3))
    def order_and_wait(self, two: tuple[int, int], minor: int, days: int) -> None:
        before = len(self.ordered)
        self.order(two, minor, "day", 1, 5)
        for _ in range(days if len(self.ordered) > before else 0):
            self.let_pass(timedelta(days=1))

    @rule(two=pairs, minor=st.integers(1, AMOUNT_MAX), hours=st.integers(3, 5))
    def order_what_cannot_be_paid(self, two: tuple[int, int], minor: int, hours: int) -> None:
        """Refused, tried once more the same day, given up; so often, that it is paused."""
        before = len(self.ordered)
        self.order(two, minor, "day", 1, 5)
        if len(self.ordered) > before:
            self.frost(two[0], on=True)
            for _ in range(REFUSED_MAX):
                self.let_pass(nine(day_of(self.now) + timedelta(days=1)) - self.now)
                self.let_pass(timedelta(hours=hours))
            self.frost(two[0], on=False)
            self._resume(self.ordered[-1])

    @rule(two=pairs, more=amounts)
    def order_what_cannot_be(self, two: tuple[int, int], more: int) -> None:
        self.order(two, AMOUNT_MAX + more, "once", 1, 1)
        self.order(two, more, "once", -1, 1)

    @precondition(lambda self: self.ordered)
    @rule(number=some)
    def pause(self, number: int) -> None:
        ordered = self.one_of(self.ordered, number)
        expected = "standing_order_not_open" if ordered.state == "ended" else DONE
        row = StandingOrder.objects.get(pk=ordered.pk)
        self.do(
            "pause",
            lambda: standing_orders.pause(order=row, member=row.member, by=self.actor(ordered.one)),
            expected=expected,
        )
        if ordered.state == "open":
            ordered.give_up_today()
            ordered.stop("paused")

    @precondition(lambda self: self.ordered)
    @rule(number=some)
    def pause_and_resume(self, number: int) -> None:
        self.pause(number)
        self._resume(self.one_of(self.ordered, number))

    @precondition(lambda self: self.ordered)
    @rule(number=some)
    def resume(self, number: int) -> None:
        self._resume(self.one_of(self.ordered, number))

    def _resume(self, ordered: Ordered) -> None:
        expected = DONE
        if ordered.state == "ended":
            expected = "standing_order_not_open"
        elif ordered.state == "paused" and self.people[ordered.one].suspended:
            expected = "member_suspended"
        elif ordered.state == "paused" and not ordered.to_come(self.now):
            expected = "standing_order_over"
        row = StandingOrder.objects.get(pk=ordered.pk)
        self.do(
            "resume",
            lambda: standing_orders.resume(order=row, member=row.member, by=self.actor(ordered.one)),
            expected=expected,
        )
        if expected == DONE and ordered.state == "paused":
            ordered.go_on(self.now)

    @precondition(lambda self: self.ordered)
    @rule(number=some)
    def end(self, number: int) -> None:
        ordered = self.one_of(self.ordered, number)
        row = StandingOrder.objects.get(pk=ordered.pk)
        self.do(
            "end", lambda: standing_orders.end(order=row, member=row.member, by=self.actor(ordered.one)), expected=DONE
        )
        if ordered.state != "ended":
            ordered.give_up_today()
            ordered.stop("ended")

    def what_time_does(self) -> None:
        super().what_time_does()
        due = [each for each in self.ordered if each.state == "open" and each.at <= self.now]
        assert self.do("carry out", lambda: standing_runs.carry_out(now=self.now), expected=DONE) == len(due)
        for ordered in sorted(due, key=lambda each: (each.at, each.pk)):
            self._carried_out(ordered)

    def _carried_out(self, ordered: Ordered) -> None:
        assert ordered.day
        while (later := ordered.following()) and nine(later) <= self.now:
            if ordered.day in ordered.days:
                ordered.give_up_today()
                ordered.refused += 1
            else:
                ordered.days[ordered.day] = "missed"
                ordered.done += 1
            ordered.day = later
            if ordered.refused >= REFUSED_MAX:
                ordered.stop("paused")
                self.met.answers["standing paused"] += 1
                return
        if ordered.tries and day_of(ordered.at) != day_of(self.now):
            # Told to be tried once more that day, and nobody did.
            self._day_over(ordered, "refused")
            return
        ordered.tries += 1
        if not (refusal := self.cannot_send(ordered.one, ordered.other, ordered.minor)):
            self.moved({"one": ordered.one, "other": ordered.other, "minor": ordered.minor, "paid": True})
            self._day_over(ordered, "paid")
        elif ordered.tries < TRIES_MAX and day_of(self.now + AGAIN_AFTER) == day_of(self.now):
            ordered.days[ordered.day] = "waiting"
            ordered.at = self.now + AGAIN_AFTER
        else:
            self._day_over(ordered, "refused")
        self.met.answers[f"standing {refusal or 'done'}"] += 1

    def _day_over(self, ordered: Ordered, fate: str) -> None:
        assert ordered.day
        ordered.days[ordered.day], ordered.tries = fate, 0
        ordered.refused = ordered.refused + 1 if fate == "refused" else 0
        following = ordered.following()
        ordered.done += 1
        if following is None:
            ordered.stop("ended")
        elif ordered.refused >= REFUSED_MAX:
            ordered.stop("paused")
            self.met.answers["standing paused"] += 1
        else:
            ordered.day, ordered.at = following, nine(following)

    def compare(self) -> None:
        super().compare()
        rows = StandingOrder.objects.values_list("pk", "state", "next_on", "runs_done")
        assert set(rows) == {
            (each.pk, each.state.replace("open", "active"), each.day, each.done) for each in self.ordered
        }
        runs = StandingRun.objects.values_list("order", "due_on", "state")
        assert set(runs) == {(each.pk, day, fate) for each in self.ordered for day, fate in each.days.items()}
