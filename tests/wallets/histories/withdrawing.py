"""Withdrawals in histories."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.outcomes import Order, Outcomes, minors, stored
from tests.wallets.histories.people import WITHDRAWAL_MAX, WITHDRAWALS_A_DAY
from tests.wallets.histories.world import DONE, amounts, some, who
from wallets.models import Withdrawal
from wallets.services import withdrawals


class Withdrawn(Order):
    """``total`` is on hold until it is decided."""


class Withdrawing(Outcomes):
    @property
    def went(self) -> list[Withdrawn]:
        return [order for order in self.orders if isinstance(order, Withdrawn)]

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        self.withdraw(one, 9)
        match number // 4 % 4:
            case 0 | 3:
                self.withdrawal_that_ends_oddly(one, (12, 15, 12, 10)[number % 4])
            case 1:
                self.withdraw_more_than_may_be(one, 1 + number)
            case 2:
                self.withdraw_again_after_failures(one)

    @rule(one=who, minor=minors)
    def withdraw(self, one: int, minor: int) -> None:
        reference, expected = self.reference(), self._cannot_withdraw(one, minor) or DONE
        made = self.do("withdraw", lambda: self._withdraw(one, minor, reference), expected=expected)
        if made:
            person = self.people[one]
            fee = person.pays_to_withdraw(self.now)
            use = person.use("withdrawal", minor, fee, self.now, free=not fee)
            order = Withdrawn(**vars(self.begun(made.pk, one, reference, use)))
            person.held += order.total
            self.orders.append(order)
            self.proceed(order)

    def _cannot_withdraw(self, one: int, minor: int) -> str:
        person = self.people[one]
        if not minor:
            return "order_amount_invalid"
        if person.suspended:
            return "member_suspended"
        if person.frozen:
            return "wallet_frozen"
        if len(person.of_today("withdrawal", self.now)) >= WITHDRAWALS_A_DAY:
            return "limit_exceeded"
        if minor > WITHDRAWAL_MAX:
            return "limit_exceeded_at_once"
        total = minor + person.pays_to_withdraw(self.now)
        return "insufficient_funds" if total > person.available else ""

    @rule(one=who, minor=minors)
    def withdraw_and_wait(self, one: int, minor: int) -> None:
        self.withdraw(one, minor)
        self.let_pass(timedelta(minutes=11))

    @rule(one=who, more=amounts)
    def withdraw_more_than_may_be(self, one: int, more: int) -> None:
        """More than there is, more than at once, more often than in a day."""
        self.withdraw(one, max(0, self.people[one].available) + more)
        self.withdraw(one, WITHDRAWAL_MAX + more)
        for _ in range(WITHDRAWALS_A_DAY + 1):
            self.withdraw(one, 7)

    @rule(one=who, ending=st.sampled_from([10, 12, 15]))
    def withdrawal_that_ends_oddly(self, one: int, ending: int) -> None:
        """The month's free one first, as far as that can be, so that this one costs something."""
        if not self.people[one].pays_to_withdraw(self.now):
            self.withdraw(one, 9)
        self.withdraw(one, 100 + ending)
        self.let_pass(timedelta(minutes=11))
        self.let_pass(timedelta(days=1))

    @rule(one=who)
    def withdraw_again_after_failures(self, one: int) -> None:
        """What failed takes none of the day's withdrawals, nor the month's free one."""
        for minor in [101] * WITHDRAWALS_A_DAY + [100]:
            self.withdraw(one, minor)

    @precondition(lambda self: self.went)
    @rule(number=some)
    def withdraw_once_more(self, number: int) -> None:
        order = self.one_of(self.went, number)
        self.again("withdraw again", lambda: self._withdraw(order.one, order.minor, order.reference))
        self.do(
            "withdraw otherwise",
            lambda: self._withdraw(order.one, order.minor + 1, order.reference),
            expected="order_differs",
        )

    def _withdraw(self, one: int, minor: int, reference: str) -> Withdrawal:
        assert self.setting
        return withdrawals.request(
            member=self.member(one),
            wallet=self.purses[one],
            amount=Money(minor, "CNY"),
            instrument=self.setting.banks[one],
            reference=reference,
            by=self.actor(one),
        )

    def become(self, order: Order, state: str) -> None:
        if not isinstance(order, Withdrawn):
            super().become(order, state)
            return
        person = self.people[order.one]
        if state == "succeeded" and order.state == "failed":
            # It was given back, and went all the same: it is missing elsewhere than in the wallet.
            order.use.counts = True
            self.house["suspense", "CNY"] -= order.minor
            self.house["clearing", "CNY"] += order.minor
        elif state == "succeeded":
            person.held -= order.total
            self._moved(order, 1)
        elif state == "failed":
            person.held -= order.total
            order.use.give_back()
        elif state == "returned":
            self._moved(order, -1)
            order.use.give_back()

    def _moved(self, order: Order, sign: int) -> None:
        self.people[order.one].posted -= sign * order.total
        self.house["clearing", "CNY"] += sign * order.minor
        self.house["fees", "CNY"] += sign * order.fee

    def compare(self) -> None:
        super().compare()
        assert stored(Withdrawal) == {order.pk: order.state for order in self.went}
