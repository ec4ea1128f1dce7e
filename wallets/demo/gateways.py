"""Routes to the sandbox gateway, and some orders that went through it."""

from collections.abc import Iterator
from typing import Final

from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from wallets.gateways import registry
from wallets.models import GatewayRoute, TopUp
from wallets.services import routing, top_ups, wallets

_GATEWAY: Final = "sandbox"
_CURRENCIES: Final = ("CNY", "EUR", "USD", "HKD", "JPY")
_METHODS: Final = ("card", "alipay", "wechat_pay")
# Whole amounts succeed; the last two digits say what else comes of one: see wallets/gateways/scripts.py.
_SAMPLES: Final = (("card", 500_00), ("alipay", 120_01), ("wechat_pay", 80_02), ("card", 60_10))


def fill(member: Member) -> Iterator[str]:
    """Every method has its route to the sandbox gateway, and the member a few top-ups; run again, nothing is added."""
    if _GATEWAY not in registry.names():
        return
    for currency in _CURRENCIES:
        for method in _METHODS:
            _route(GatewayRoute.Kind.TOP_UP, method, currency)
        _route(GatewayRoute.Kind.PAYOUT, "bank", currency)
    _orders(member)
    yield f"  gateways  sample top-ups: {TopUp.objects.of(member).count()}, each with another outcome"


def _route(kind: GatewayRoute.Kind, method: str, currency: str) -> None:
    facts = {"kind": kind, "method": method, "currency": currency, "gateway": _GATEWAY}
    if not GatewayRoute.objects.filter(**facts).exists():
        routing.add(by=SYSTEM, reason="sample data", **facts)


def _orders(member: Member) -> None:
    wallet = wallets.open(member=member, currency="CNY", by=SYSTEM)
    for number, (method, minor) in enumerate(_SAMPLES):
        try:
            top_ups.begin(
                member=member,
                wallet=wallet,
                amount=Money(minor, "CNY"),
                method=method,
                reference=f"sample {number}",
                by=Actor.of(member.user),
            )
        except DomainError:
            return  # the site's own limits forbid it: then there is nothing to show
