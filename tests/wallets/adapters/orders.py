"""Orders as our services make them."""

from datetime import date

from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from wallets.gateways.base import BankAccount, Card, Order, OrderKind

PAN = "4242424242424242"
REFERENCE = "0f9c5a1e7b3d4c2fa1b2c3d4e5f60718"


def top_up(amount, *, method, reference=REFERENCE, **more):
    return Order(
        kind=OrderKind.TOP_UP,
        reference=reference,
        amount=amount,
        method=method,
        subject="Top-up",
        return_url="https://pay.example.com/back",
        notify_url="https://pay.example.com/hooks/x/",
        **more,
    )


def payout(amount, *, method, number, holder="Wang Fang", reference=REFERENCE):
    return Order(
        kind=OrderKind.PAYOUT,
        reference=reference,
        amount=amount,
        method=method,
        subject="Withdrawal",
        notify_url="https://pay.example.com/hooks/x/",
        account=BankAccount(number=Secret(number), holder=holder),
    )


def refund(amount, *, method, original, reference="ab9c5a1e7b3d4c2fa1b2c3d4e5f60718", gateway_reference=""):
    return Order(
        kind=OrderKind.REFUND,
        reference=reference,
        amount=amount,
        method=method,
        original=original,
        gateway_reference=gateway_reference,
    )


def card(number=PAN):
    return Card(number=Secret(number), holder="WANG FANG", expires_on=date(2030, 4, 30))


def cny(minor):
    return Money(minor, "CNY")


def usd(minor):
    return Money(minor, "USD")
