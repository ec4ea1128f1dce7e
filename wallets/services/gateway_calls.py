"""Calling a gateway: never inside a transaction, and whatever goes wrong is an unknown outcome, not a failed one."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import NoReverseMatch, reverse

from wallets.gateways import registry
from wallets.gateways.base import Answer, Capability, Gateway, Order, OrderKind, Outcome
from wallets.models import GatewayOrder, Instrument, Payout, TopUp
from wallets.services import payees

log = structlog.get_logger(__name__)

UNCLEAR: Final = Answer(outcome=Outcome.UNKNOWN, reason="the gateway's adapter failed")
CANNOT: Final = Answer(outcome=Outcome.UNKNOWN, reason="this gateway cannot be asked")
GONE: Final = Answer(outcome=Outcome.UNKNOWN, reason="this gateway is not configured any more")


def begin(order: TopUp, *, instrument: Instrument | None = None, return_url: str = "") -> Answer:
    """Ask the gateway to take the money in."""
    card, account = (payees.card(instrument), payees.account(instrument)) if instrument else (None, None)
    asked = _order(order, OrderKind.TOP_UP, card=card, account=account, return_url=return_url)
    return _call(order.gateway, lambda gateway: gateway.begin(asked))


def pay_out(order: Payout) -> Answer:
    """Ask the gateway to send the money; asked again under the same reference, it does nothing new."""
    asked = _order(order, OrderKind.PAYOUT, account=payees.read(order.payee.decrypt()) if order.payee else None)
    return _call(order.gateway, lambda gateway: gateway.pay_out(asked))


def give_back(order: TopUp) -> Answer:
    """Ask the gateway to give back what came in."""
    asked = Order(
        kind=OrderKind.REFUND,
        reference=_refund(order),
        original=order.public_id.hex,
        gateway_reference=order.gateway_reference,
        amount=order.moved,
        method=order.method,
    )
    return _call(order.gateway, lambda gateway: gateway.refund(asked))


def cancel(order: TopUp) -> Answer:
    """Have the gateway take back what the member has not acted on; how it then stands. See ``can_cancel``."""
    asked = _order(order, OrderKind.TOP_UP)
    return _call(order.gateway, lambda gateway: gateway.cancel(asked))


def can_cancel(order: TopUp) -> bool:
    """Whether the order's gateway can take back what the member has not acted on."""
    return order.gateway in registry.names() and Capability.CANCEL in registry.get(order.gateway).capabilities


def unless_failed(answer: Answer) -> Answer:
    """``answer`` to a request made again, where the one before may yet arrive: that this one failed is not the end."""
    if answer.outcome != Outcome.FAILED:
        return answer
    return Answer(outcome=Outcome.UNKNOWN, reason=f"asked again: {answer.reason}")


def query(order: GatewayOrder) -> Answer:
    """Ask how the order stands; of one that is being given back, how that does."""
    if order.state == GatewayOrder.State.RETURNING and isinstance(order, TopUp):
        return _query(order.gateway, _refund(order), OrderKind.REFUND, order.gateway_reference)
    kind = OrderKind.TOP_UP if isinstance(order, TopUp) else OrderKind.PAYOUT
    return _query(order.gateway, order.public_id.hex, kind, order.gateway_reference)


def _query(name: str, reference: str, kind: OrderKind, known_as: str) -> Answer:
    def ask(gateway: Gateway) -> Answer:
        if Capability.QUERY not in gateway.capabilities:
            return CANNOT
        return gateway.query(reference, kind, gateway_reference=known_as)

    return _call(name, ask)


def _refund(order: TopUp) -> str:
    if order.refund_id is None:
        raise TypeError("nobody decided to give this back")
    return order.refund_id.hex


def _order(order: GatewayOrder, kind: OrderKind, **more: Any) -> Order:
    return Order(
        kind=kind,
        reference=order.public_id.hex,
        amount=order.amount,
        method=order.method,
        notify_url=_notify_url(order.gateway),
        language=order.member.language,
        gateway_reference=order.gateway_reference,
        **more,
    )


def _notify_url(gateway: str) -> str:
    try:
        return str(settings.SITE_URL).rstrip("/") + reverse("hooks", args=[gateway])
    except NoReverseMatch:  # a gateway whose name fits no address notifies nobody
        return ""


def _call(name: str, ask: Callable[[Gateway], Answer]) -> Answer:
    # Refused inside a transaction: what the gateway does cannot be rolled back, nor our locks held meanwhile.
    with transaction.atomic(durable=True):
        pass
    if name not in registry.names():
        return GONE
    try:
        return ask(registry.get(name))
    except Exception:  # the edge: what an adapter raises is its bug, and says nothing about the money
        log.exception("gateway adapter failed", gateway=name)
        return UNCLEAR
