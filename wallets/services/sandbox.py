"""The sandbox gateway's own doings: telling us what it has to tell, as a real one would from outside."""

from datetime import datetime

import structlog

from wallets.gateways import registry
from wallets.gateways.sandbox import Sandbox
from wallets.services import notifications

log = structlog.get_logger(__name__)


def deliver(*, now: datetime) -> int:
    """Everything that the sandbox gateways have to tell by ``now`` is stored and taken into account; how much."""
    told = 0
    for gateway in _sandboxes():
        for number, headers, body in gateway.deliveries(now):
            found = notifications.receive(gateway=gateway.name, headers=headers, body=body)
            gateway.heard(number)
            notifications.process(notification=found)
            told += 1
    return told


def next_delivery(after: datetime) -> datetime | None:
    """When there is something to be told next."""
    moments = [gateway.next_delivery(after) for gateway in _sandboxes()]
    return min((moment for moment in moments if moment), default=None)


def _sandboxes() -> list[Sandbox]:
    found = (registry.get(name) for name in registry.names())
    return [gateway for gateway in found if isinstance(gateway, Sandbox)]
