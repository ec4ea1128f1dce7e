"""What wallets do by themselves, and when."""

from datetime import datetime

from paymentsite.core.jobs import job
from wallets.services import gift_links, outside_cards, requests, standing_runs


@job("wallets.warn_of_expiring_cards", daily="09:00")
def warn_of_expiring_cards(*, now: datetime) -> str:
    return f"{outside_cards.warn_of_expiring(now=now)} cards"


@job("wallets.expire_requests", due=requests.next_expiry)
def expire_requests(*, now: datetime) -> str:
    return f"{requests.expire(now=now)} requests"


@job("wallets.carry_out_standing_orders", due=standing_runs.next_due)
def carry_out_standing_orders(*, now: datetime) -> str:
    return f"{standing_runs.carry_out(now=now)} orders"


@job("wallets.return_gifts", due=gift_links.next_return)
def return_gifts(*, now: datetime) -> str:
    return f"{gift_links.return_due(now=now)} gifts"
