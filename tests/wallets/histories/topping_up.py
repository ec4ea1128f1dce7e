"""Top-ups in histories."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.outcomes import Order, Outcomes, minors, stored
from tests.wallets.histories.people import BALANCE_MAX, TOP_UP_DAY_MAX, TOP_UP_FEE
from tests.wallets.histories.world import DONE, amounts, some, who
from wallets.models import TopUp
from wallets.services import top_ups


class ToppedUp(Order):
    @property
    def net(self) -> int:
        return self.minor - self.fee

    @property
    def may_come(self) -> int:
        """What it puts on the wallet if it does; what came otherwise is a smallest part less, or another currency."""
        if self.state == "conflict":
            return self.net - 1 if self.minor % 100 == 10 else 0
        return self.net if self.state == "open" else 0


class ToppingUp(Outcomes):
    @property
    def came(self) -> list[ToppedUp]:
        return [order for order in self.orders if isinstance(order, ToppedUp)]

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        self.top_up(one, 100)
        match number % 4:
            case 0 | 3:
                self.top_up_that_ends_oddly(one, (15, 12, 10)[number // 4 % 3])
            case 1:
                self.top_up(one, 102)
                self.top_up_more_than_may_be(one, 1 + number)
            case 2:
                self.top_up_again_after_failures(one, number)

    @rule(one=who, minor=minors)
    def top_up(self, one: int, minor: int) -> None:
        reference, expected = self.reference(), self._cannot_top_up(one, minor) or DONE
        made = self.do("top up", lambda: self._top_up(one, minor, reference), expected=expected)
        if made:
            use = self.people[one].use("top_up", minor, TOP_UP_FEE, self.now)
            order = ToppedUp(**vars(self.begun(made.pk, one, reference, use)))
            self.orders.append(order)
            self.proceed(order)

    def _cannot_top_up(self, one: int, minor: int) -> str:
        person = self.people[one]
        if minor <= 0:
            return "order_amount_invalid"
        if person.suspended:
            return "member_suspended"
        if person.used("top_up", self.now) + minor > TOP_UP_DAY_MAX:
            return "limit_exceeded"
        if minor <= TOP_UP_FEE:
            return "top_up_below_fee"
        return "balance_limit_exceeded" if self.has_no_room(one, minor - TOP_UP_FEE) else ""

    def coming(self, one: int) -> int:
        return sum(order.may_come for order in self.came if order.one == one)

    @rule(one=who, minor=minors)
    def top_up_and_wait(self, one: int, minor: int) -> None:
        """As long as it takes until most are decided, twice where the first answer was not the last."""
        self.top_up(one, minor)
        self.let_pass(timedelta(minutes=11))

    @rule(one=who, more=amounts)
    def top_up_more_than_may_be(self, one: int, more: int) -> None:
        """More than in a day, more than may be held, less than it costs."""
        self.top_up(one, TOP_UP_DAY_MAX - self.people[one].used("top_up", self.now) + more)
        room = BALANCE_MAX["CNY"] - self.people[one].posted - self.coming(one)
        self.top_up(one, room // 100 * 100 + 200)
        self.top_up(one, max(room, 0) + TOP_UP_FEE + 1)
        self.top_up(one, 1 + more % TOP_UP_FEE)

    @rule(one=who, ending=st.sampled_from([10, 12, 15]))
    def top_up_that_ends_oddly(self, one: int, ending: int) -> None:
        self.top_up(one, 100 + ending)
        self.let_pass(timedelta(minutes=11))
        self.let_pass(timedelta(days=1))

    @rule(one=who, hundreds=some)
    def top_up_again_after_failures(self, one: int, hundreds: int) -> None:
        """What failed takes nothing of the day's limit."""
        for minor in (201, 201, 203, 200 + hundreds % 2):
            self.top_up(one, minor)
            self.let_pass(timedelta(minutes=2))

    @precondition(lambda self: self.came)
    @rule(number=some)
    def top_up_once_more(self, number: int) -> None:
        order = self.one_of(self.came, number)
        self.again("top up again", lambda: self._top_up(order.one, order.minor, order.reference))
        self.do(
            "top up otherwise",
            lambda: self._top_up(order.one, order.minor + 1, order.reference),
            expected="order_differs",
        )

    def _top_up(self, one: int, minor: int, reference: str) -> TopUp:
        return top_ups.begin(
            member=self.member(one),
            wallet=self.purses[one],
            amount=Money(minor, "CNY"),
            method="card",
            reference=reference,
            by=self.actor(one),
        )

    def become(self, order: Order, state: str) -> None:
        if not isinstance(order, ToppedUp):
            super().become(order, state)
            return
        person, late = self.people[order.one], order.state == "failed"
        if state == "succeeded":
            fee = 0 if late else order.fee
            order.use.counts = True
            person.posted += order.minor - fee
            self.house["fees", "CNY"] += fee
            self.house["clearing", "CNY"] -= order.minor
        elif state == "failed":
            order.use.give_back()
        elif state == "returned":
            # The member has what the gateway took back: it is missing until staff has settled it.
            self.house["suspense", "CNY"] -= order.minor
            self.house["clearing", "CNY"] += order.minor

    def compare(self) -> None:
        super().compare()
        assert stored(TopUp) == {order.pk: order.state for order in self.came}
