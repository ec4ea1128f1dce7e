"""Exactly one gets what there is one of; and each race turns red with the bug that it is there to find."""

import pytest

from members.models import Coupon, Reward
from members.services import coupons, rewards
from paymentsite.core import clock
from tests.members import races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("race", [races.last_reward, races.one_coupon, races.one_step_up, races.one_reference])
def test_one_of_many_wins(together, race):
    race(together, 32)


@pytest.fixture
def stock_is_read_before(monkeypatch):
    def take(reward):
        left = Reward.objects.get(pk=reward.pk).stock_left
        if left <= 0:
            raise rewards.RewardGone(reward=str(reward))
        Reward.objects.filter(pk=reward.pk).update(stock_left=left - 1)

    monkeypatch.setattr(rewards, "_take", take)


@pytest.fixture
def coupon_is_read_before(monkeypatch):
    def use(*, code, by, source):
        coupon = Coupon.objects.get(code_digest=code)
        if coupon.state == Coupon.State.USED:
            raise coupons.CouponUsed
        coupon.state, coupon.used_at, coupon.used_by, coupon.used_for = "used", clock.now(), str(by), source
        coupon.save(update_fields=["state", "used_at", "used_by", "used_for"])
        return coupon

    monkeypatch.setattr(rewards, "use_coupon", use)


@pytest.mark.usefixtures("stock_is_read_before")
def test_stock_that_is_read_before_it_is_taken_oversells(together):
    turns_red(races.last_reward, together, 8)


@pytest.mark.usefixtures("coupon_is_read_before")
def test_coupon_that_is_read_before_it_is_used_is_used_again(together):
    turns_red(races.one_coupon, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_step_up_without_a_lock_is_paid_again(together):
    turns_red(races.one_step_up, together, 8)
