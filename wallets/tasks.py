"""What wallets do by themselves, and when."""

from datetime import datetime, timedelta

from paymentsite.core.jobs import job
from wallets.services import janitor, notifications, outside_cards, sandbox


@job("wallets.warn_of_expiring_cards", daily="09:00")
def warn_of_expiring_cards(*, now: datetime) -> str:
    return f"{outside_cards.warn_of_expiring(now=now)} cards"


@job("wallets.ask_gateways", due=janitor.next_due)
def ask_gateways(*, now: datetime) -> str:
    return f"{janitor.ask_due(now=now)} orders"


@job("wallets.process_notifications", every=timedelta(seconds=10), stops=False)
def process_notifications(*, now: datetime) -> str:  # noqa: ARG001  all that was left by now
    return f"{notifications.process_left()} notifications"


@job("wallets.deliver_sandbox", due=sandbox.next_delivery)
def deliver_sandbox(*, now: datetime) -> str:
    return f"{sandbox.deliver(now=now)} told"
