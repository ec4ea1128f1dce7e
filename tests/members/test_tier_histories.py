"""Random lives among the tiers: whatever happens in whatever order, the tier is what a plain sum says it is."""

import random
from datetime import datetime, timedelta

import pytest

from members import windows
from members.models import MemberTier
from members.queries import progress as earnings
from members.services import tiers, upgrades
from members.windows import Window
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from tests.factories import cny
from tests.members.factories import MemberFactory
from tests.members.tiering import LEVELS, day, earn, fund_points, levels

pytestmark = pytest.mark.django_db

STEPS = 25
CHECKS = ["members.tier_is_its_changes", "members.tier_is_earned", "members.progress_taken_back"]


class Life:
    """One member on a clock that moves, and beside them the plainest account of what they earned."""

    def __init__(self, seed: int, window: Window) -> None:
        self.chance, self.window = random.Random(seed), window
        self.member, self.now = MemberFactory(), day("2026-01-10")
        self.earned: dict[str, tuple[datetime, int]] = {}
        self.made = levels(
            window=window,
            grace_days=self.chance.choice([0, 30]),
            step_down=self.chance.choice(["one", "straight"]),
        )
        fund_points(self.member, 3_000)

    def step(self, number: int) -> None:
        what = self.chance.choice([self.earn, self.earn, self.take_back, self.wait, self.wait, self.buy])
        with clock.standing(self.now):
            what(number)
        with clock.standing(self.now):
            self.catch_up()

    def earn(self, number: int) -> None:
        points = self.chance.choice([50, 700, 1_000, 4_000, 20_000])
        earn(self.member, points, self.now, source=f"payment:{number}")
        self.earned[f"payment:{number}"] = (self.now, points)

    def take_back(self, number: int) -> None:
        if not self.earned:
            return
        source = self.chance.choice(sorted(self.earned))
        at, left = self.earned[source]
        part = self.chance.randint(0, left)
        tiers.progress_undone(source=source, cause=f"refund:{number}", qualifying=part, spend=cny(0), now=self.now)
        self.earned[source] = (at, left - part)

    def buy(self, number: int) -> None:
        held = tiers.of(self.member, self.now)
        above = next((tier for tier in self.made.values() if tier.rank > held.rank), None)
        if above and above.upgrade_points and above.upgrade_points <= 500:
            upgrades.buy(member=self.member, tier=above, reference=str(number), by=SYSTEM)

    def wait(self, _number: int) -> None:
        self.now += timedelta(days=self.chance.choice([1, 20, 100, 250]))

    def catch_up(self) -> None:
        """What fell due meanwhile happens in order, as the scheduler lets it."""
        moment = clock.now() - timedelta(days=400)
        while (moment := earnings.next_due(moment)) and moment <= self.now:
            tiers.evaluate_due(now=moment)

    @property
    def own(self) -> str:
        begin = windows.begin(self.window, self.now)
        have = sum(points for at, points in self.earned.values() if at >= begin)
        return [code for code, _rank, threshold in LEVELS if threshold <= have][-1]

    def check(self) -> None:
        held = tiers.of(self.member, self.now)
        row = MemberTier.objects.filter(member=self.member).select_related("kept").first()
        floor = row.kept.rank if row and row.kept else 0
        least = max(self.made[self.own].rank, floor)

        assert held.rank == least or (held.rank > least and row and row.grace_until and row.grace_until > self.now)
        with clock.standing(self.now):
            assert verification.discover().run(only=CHECKS).findings == []


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("seed", range(4))
def test_tier_is_what_a_plain_sum_says(seed, window):
    life = Life(seed, window)

    for number in range(STEPS):
        life.step(number)
        life.check()

    assert life.earned
