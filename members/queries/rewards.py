"""What is on offer, and what ends when."""

from datetime import datetime

from django.db.models import Min, Q, QuerySet

from members.models import Coupon, Reward, Tier


def for_tier(tier: Tier, now: datetime) -> QuerySet[Reward]:
    """What a member of ``tier`` can take now, the cheapest first; what is gone is not among it."""
    fits = Q(tier=None) | Q(tier__rank__lte=tier.rank)
    there = Q(stock_left=None) | Q(stock_left__gt=0)
    return Reward.objects.offered(now).filter(fits, there).select_related("tier").order_by("points", "pk")


def next_coupon_end(after: datetime) -> datetime | None:
    """When, later than ``after``, the next open coupon expires."""
    later = Coupon.objects.filter(state=Coupon.State.OPEN, expires_at__gt=after)
    moment: datetime | None = later.aggregate(first=Min("expires_at"))["first"]
    return moment
