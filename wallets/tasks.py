"""What wallets do by themselves, and when."""

from datetime import datetime, timedelta

from paymentsite.core.jobs import job
from wallets.models import Notification
from wallets.services import (
    gift_links,
    janitor,
    notifications,
    outside_cards,
    requests,
    sandbox,
    standing_runs,
)


@job("wallets.warn_of_expiring_cards", daily="09:00")
def warn_of_expiring_cards(*, now: datetime) -> str:
    return f"{outside_cards.warn_of_expiring(now=now)} cards"


@job("wallets.ask_gateways", due=janitor.next_due)
def ask_gateways(*, now: datetime) -> str:
    return f"{janitor.ask_due(now=now)} orders"


@job("wallets.process_notifications", every=timedelta(seconds=10), stops=False, where=Notification.objects.waiting)
def process_notifications(*, now: datetime) -> str:  # noqa: ARG001  all that was left by now
    return f"{notifications.process_left()} notifications"


@job("wallets.deliver_sandbox", due=sandbox.next_delivery)
def deliver_sandbox(*, now: datetime) -> str:
    return f"{sandbox.deliver(now=now)} told"


@job("wallets.expire_requests", due=requests.next_expiry)
def expire_requests(*, now: datetime) -> str:
    return f"{requests.expire(now=now)} requests"


@job("wallets.carry_out_standing_orders", due=standing_runs.next_due)
def carry_out_standing_orders(*, now: datetime) -> str:
    return f"{standing_runs.carry_out(now=now)} orders"


@job("wallets.return_gifts", due=gift_links.next_return)
def return_gifts(*, now: datetime) -> str:
    return f"{gift_links.return_due(now=now)} gifts"


@job("wallets.catch_up_nightly", daily="00:00")
def catch_up_nightly(*, now: datetime) -> str:
    """Also where nothing is due any more: what was stuck, and ended by hand since, is before nobody then."""
    done = requests.expire(now=now) + standing_runs.carry_out(now=now) + gift_links.return_due(now=now)
    return f"{done} done"
