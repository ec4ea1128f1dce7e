"""What is on offer, and what ends when."""

from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import Q, QuerySet

from members.models import Coupon, Reward, Tier
from paymentsite.core.waiting import First


def for_tier(tier: Tier, now: datetime) -> QuerySet[Reward]:
    """What a member of ``tier`` can take now, the cheapest first; what is gone is not among it."""
    fits = Q(tier=None) | Q(tier__rank__lte=tier.rank)
    there = Q(stock_left=None) | Q(stock_left__gt=0)
    return Reward.objects.offered(now).filter(fits, there).select_related("tier").order_by("points", "pk")


# When the next open coupon expires.
next_coupon_end: Final = First("expires_at", partial(Coupon.objects.filter, state=Coupon.State.OPEN))
