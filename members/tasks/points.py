"""Points that become the member's own by time, and bringers that are rewarded."""

from datetime import datetime

from members.services.points import maturing, referrals, warnings
from paymentsite.core import clock
from paymentsite.core.jobs import job


@job("members.mature_points", due=maturing.next_due)
def mature_points(*, now: datetime) -> str:
    return f"{maturing.mature_due(now=now)} earnings"


@job("members.mature_points_nightly", daily="00:00")
def mature_points_nightly(*, now: datetime) -> str:
    """Also those that could not be given when they were due."""
    return f"{maturing.mature_due(now=now) + referrals.reward_due(now=now)} earnings"


@job("members.reward_referrals", due=referrals.next_due)
def reward_referrals(*, now: datetime) -> str:
    return f"{referrals.reward_due(now=now)} referrals"


@job("members.warn_of_expiry", daily="09:00")
def warn_of_expiry(*, now: datetime) -> str:
    return f"{warnings.warn(today=clock.day_of(now))} members"
