"""Going up and down by time alone."""

from datetime import datetime, timedelta
from typing import Final

from members.queries import progress
from members.services import tiers
from paymentsite.core.jobs import job

# A midnight on which many fall, or a change of the programme, is long work.
_LEASE: Final = timedelta(hours=2)


@job("members.evaluate_tiers", due=progress.next_due, lease=_LEASE)
def evaluate_tiers(*, now: datetime) -> str:
    """At the moments at which something stops counting or lasting; most are the midnights of the business."""
    return f"{tiers.evaluate_due(now=now)} members"


@job("members.evaluate_tiers_nightly", daily="00:00", lease=_LEASE)
def evaluate_tiers_nightly(*, now: datetime) -> str:
    """Also those whom a change of the programme concerns."""
    count = tiers.evaluate_due(now=now) + tiers.evaluate_stale(now=now)
    tiers.settle_stuck(now=now)
    return f"{count} members"
