"""Payouts: having a gateway send money, from a wallet or at our expense. See ``top_ups`` for how a cut is mended."""

from typing import Final, TypeVar

from members.models import Member
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayRoute, Payout, Wallet, Withdrawal
from wallets.services import gateway_calls, orders, outcomes, rerouting

PayoutT = TypeVar("PayoutT", bound=Payout)

METHOD: Final = "bank"


def send(order: PayoutT) -> PayoutT:
    """The order as it stands once its gateway, or the next one after it, was asked."""
    while True:
        answer = gateway_calls.pay_out(order)
        moved_on = rerouting.elsewhere(order, answer, kind=GatewayRoute.Kind.PAYOUT)
        if moved_on is None:
            return outcomes.settle(order=order, answer=answer, origin=orders.Origin.CALL, gateway=order.gateway)
        order = moved_on


def send_again(order: Payout) -> Answer:
    """Ask for a payout of which the gateway knows nothing once more, under the same reference, if it may still go.

    Said to be absent, the first request may yet arrive: giving the money back would then pay twice. Under the same
    reference it cannot be done twice. That this second request failed says nothing of the first one: the order stays
    unknown, and the next question tells.
    """
    if _stopped(order):
        return Answer(outcome=Outcome.UNKNOWN, reason="not sent again: the member or the wallet is stopped")
    return gateway_calls.unless_failed(gateway_calls.pay_out(order))


def _stopped(order: Payout) -> bool:
    if Member.objects.get(pk=order.member_id).state != Member.State.ACTIVE:
        return True
    return isinstance(order, Withdrawal) and Wallet.objects.get(pk=order.wallet_id).state != Wallet.State.OPEN
