"""Tiers and points together: what a payment earns moves the tier at once, and its refund takes it back."""

import pytest

from members.models import Progress, Redemption
from members.services import rewards, tiers, upgrades
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from tests.members.catalogue import goods
from tests.members.factories import MemberFactory
from tests.members.pointing import pay, refund, rule, standing
from tests.members.tiering import held, levels, reasons

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    rule(qualifies=True)
    return MemberFactory()


def test_payment_lifts_spending_does_not_lower_and_refund_does(member):
    made = levels()

    pay(member, 100_000, source="payment:1")
    assert (held(member, clock.now()), standing(member)) == ("silver", (1_000, 0, 0, 1_000))
    rewards.redeem(member=member, reward=goods(points=500), reference="mug", by=SYSTEM)
    upgrades.buy(member=member, tier=made["gold"], reference="up", by=SYSTEM)
    assert (held(member, clock.now()), standing(member)) == ("gold", (0, 0, 0, 1_000))

    refund("payment:1", cause="refund:1")

    assert tiers.progress_of(member, clock.now()).have == 0
    assert reasons(member) == [("bronze", "earned"), ("silver", "earned"), ("gold", "bought")]
    assert sum(row.qualifying for row in Progress.objects.all()) == standing(member)[3] == 0
    assert verification.discover().run(only=["members", "ledger"]).findings == []


def test_refund_takes_the_tier_at_once(member):
    levels()
    pay(member, 100_000, source="payment:1")

    refund("payment:1", 1_00, cause="refund:1")

    assert (held(member, clock.now()), tiers.progress_of(member, clock.now()).missing) == ("bronze", 1)


def test_cancelled_redemption_is_points_again(member):
    levels()
    pay(member, 100_000, source="payment:1")
    redemption = rewards.redeem(member=member, reward=goods(points=500), reference="mug", by=SYSTEM)
    rewards.cancel(redemption=redemption, by=SYSTEM, reason="mistake")

    assert standing(member) == (1_000, 0, 0, 1_000)
    assert Redemption.objects.get().state == "cancelled"
    assert verification.discover().run(only=["members", "ledger"]).findings == []
