"""Points in histories: earned by payments, waited for, lost in time, turned into money."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from members.models import Redemption, Reward
from members.services import points
from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from tests.members import pointing
from tests.wallets.histories.people import Person, day_of
from tests.wallets.histories.stage import POINTS, REWARD_POINTS, REWARD_WORTH, WORTH
from tests.wallets.histories.world import DONE, World, amounts, some, who
from wallets.models import PointsCredit
from wallets.services import points_credit, reward_credit

_WAITS = timedelta(days=1)


def _end_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=62)).replace(day=1) - timedelta(days=1)


class Crediting(World):
    def __init__(self) -> None:
        super().__init__()
        self.credited: list[dict[str, Any]] = []
        self.rewarded: list[dict[str, Any]] = []

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        self.earn_and_credit(one, 50 + number)
        self.earn(one, 2 * REWARD_POINTS, "")
        self.take_reward(one)
        match number % 8:
            case 0:
                self.earn_and_lose(one, 50, "")
            case 1:
                self.credit_more_than_may_be_held(one)

    @rule(one=who, minor=st.integers(1, 300), merchant=st.sampled_from(["", "", "waits"]))
    def earn(self, one: int, minor: int, merchant: str) -> None:
        """They pay for something elsewhere: of that the points alone are seen here."""
        source = self.reference()
        self.do("earn", lambda: pointing.pay(self.member(one), minor, source=source, merchant=merchant), expected=DONE)
        person = self.people[one]
        count = minor if merchant else minor // 2
        if merchant:
            person.waiting.append((self.now + _WAITS, count))
        elif count:
            self._given(person, count, self.now)
        self.house["points", "PTS"] -= count

    def _given(self, person: Person, count: int, at: datetime) -> None:
        """Good until the end of the next month; given too late for that, from today on."""
        last = _end_of_next_month(day_of(at))
        if last < day_of(self.now):
            last = _end_of_next_month(day_of(self.now))
        person.lots[last] = person.lots.get(last, 0) + count

    @rule(one=who, count=st.integers(0, 200))
    def credit(self, one: int, count: int) -> None:
        asked = {"one": one, "count": count, "reference": self.reference()}
        worth = count * WORTH // POINTS
        expected = self._cannot_credit(one, count, worth) or DONE
        self.do("credit", lambda: self._credit(**asked), expected=expected)
        if expected == DONE:
            self.credited.append(asked)
            self._spend(self.people[one], count)
            self.people[one].posted += worth
            self.house["rewards", "PTS"] += count
            self.house["points", "CNY"] -= worth

    def _cannot_credit(self, one: int, count: int, worth: int) -> str:
        person = self.people[one]
        if person.suspended:
            return "member_suspended"
        if not worth:
            return "points_worth_nothing"
        if self.has_no_room(one, worth):
            return "balance_limit_exceeded"
        return "insufficient_funds" if count > person.points else ""

    @rule(one=who)
    def take_reward(self, one: int) -> None:
        """One that is money."""
        asked = {"one": one, "reference": self.reference()}
        expected = self._cannot_credit(one, REWARD_POINTS, REWARD_WORTH) or DONE
        self.do("reward", lambda: self._redeem(**asked), expected=expected)
        if expected == DONE:
            self.rewarded.append(asked)
            self._spend(self.people[one], REWARD_POINTS)
            self.people[one].posted += REWARD_WORTH
            self.house["rewards", "PTS"] += REWARD_POINTS
            self.house["rewards", "CNY"] -= REWARD_WORTH

    @precondition(lambda self: self.rewarded)
    @rule(number=some)
    def take_reward_once_more(self, number: int) -> None:
        asked = self.rewarded[number % len(self.rewarded)]
        self.again("reward again", lambda: self._redeem(**asked))

    def _redeem(self, *, one: int, reference: str) -> Redemption:
        reward = Reward.objects.get(kind="wallet_credit")
        return reward_credit.redeem(member=self.member(one), reward=reward, reference=reference, by=self.user(one))

    def _spend(self, person: Person, count: int) -> None:
        """Those first that are lost first."""
        for day in sorted(person.lots):
            taken = min(count, person.lots[day])
            person.lots[day] -= taken
            count -= taken

    @rule(one=who, minor=st.integers(2, 300))
    def earn_and_credit(self, one: int, minor: int) -> None:
        self.earn(one, minor, "")
        self.credit(one, minor // 2)

    @rule(one=who, minor=st.integers(2, 300))
    def earn_and_wait_and_credit(self, one: int, minor: int) -> None:
        """Too early, and then in time."""
        self.earn(one, minor, "waits")
        self.credit(one, self.people[one].points + 1)
        self.let_pass(_WAITS)
        self.credit(one, self.people[one].points)

    @rule(one=who, minor=st.integers(2, 300), merchant=st.sampled_from(["", "waits"]))
    def earn_and_lose(self, one: int, minor: int, merchant: str) -> None:
        self.earn(one, minor, merchant)
        for _ in range(2):
            self.let_pass(timedelta(days=40))

    @rule(one=who)
    def credit_more_than_may_be_held(self, one: int) -> None:
        self.earn(one, 1_400, "")
        self.credit(one, 700)

    @rule(one=who, more=amounts)
    def credit_more_than_there_is(self, one: int, more: int) -> None:
        self.credit(one, self.people[one].points + more)

    @precondition(lambda self: self.credited)
    @rule(number=some)
    def credit_once_more(self, number: int) -> None:
        asked = self.credited[number % len(self.credited)]
        self.again("credit again", lambda: self._credit(**asked))
        other = {**asked, "count": asked["count"] + 1}
        self.do("credit otherwise", lambda: self._credit(**other), expected="reference_taken")

    def _credit(self, *, one: int, count: int, reference: str) -> PointsCredit:
        return points_credit.credit(member=self.member(one), count=count, reference=reference, by=self.user(one))

    def what_time_does(self) -> None:
        super().what_time_does()
        due = [each for person in self.people for each in person.waiting if each[0] <= self.now]
        assert self.do("mature", lambda: points.mature_due(now=self.now), expected=DONE) == len(due)
        with clock.standing(self.now):
            today = clock.today()
        self.do("lapse", lambda: ledger.lapse_lots(today=today), expected=DONE)
        for person in self.people:
            for each in [each for each in person.waiting if each[0] <= self.now]:
                person.waiting.remove(each)
                self._given(person, each[1], each[0])
            for day in [day for day in person.lots if day < day_of(self.now)]:
                lost = person.lots.pop(day)
                self.house["breakage", "PTS"] += lost
                self.met.answers["points lost"] += lost > 0

    def compare(self) -> None:
        super().compare()
        assert PointsCredit.objects.count() == len(self.credited)
