"""What wallets do by themselves, and when."""

from datetime import datetime

from paymentsite.core.jobs import job
from wallets.services import outside_cards


@job("wallets.warn_of_expiring_cards", daily="09:00")
def warn_of_expiring_cards(*, now: datetime) -> str:
    return f"{outside_cards.warn_of_expiring(now=now)} cards"
