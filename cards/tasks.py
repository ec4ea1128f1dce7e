"""What time does to cards and account numbers."""

from datetime import datetime

from cards.services import ending, purposes
from paymentsite.core.jobs import job


@job("cards.expire", daily="00:05")
def expire(*, now: datetime) -> str:
    return f"{ending.expire_due(now=now)} expired"


@job("cards.expire_purposes", daily="00:10")
def expire_purposes(*, now: datetime) -> str:
    return f"{purposes.expire_due(now=now)} expired"
