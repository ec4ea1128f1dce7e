"""Coupons end when they say."""

from datetime import datetime

from members.queries import rewards
from members.services import coupons
from paymentsite.core.jobs import job


@job("members.expire_coupons", due=rewards.next_coupon_end)
def expire_coupons(*, now: datetime) -> str:
    return f"{coupons.expire_due(now=now)} coupons"
