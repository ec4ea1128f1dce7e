"""What time does to cards."""

from datetime import datetime

from cards.services import ending
from paymentsite.core.jobs import job


@job("cards.expire", daily="00:05")
def expire(*, now: datetime) -> str:
    return f"{ending.expire_due(now=now)} expired"
