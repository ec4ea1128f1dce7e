"""Payouts: having a gateway send money, from a wallet or at our expense. See ``top_ups`` for how a cut is mended.

Whoever asks may stand still for minutes before they write down what they heard, and somebody else ask again meanwhile.
So every request but the first is counted before it is made, and that one failed is believed only of the only one.
"""

from typing import Final, TypeVar

from members.models import Member
from paymentsite.core.acts import act
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
    reference it cannot be done twice. That this second request failed says nothing of the first one, nor that one of
    this: the order stays unknown, and the next question tells.
    """
    if why := _kept_from_again(order):
        return Answer(outcome=Outcome.UNKNOWN, reason=f"not sent again: {why}")
    return gateway_calls.unless_failed(gateway_calls.pay_out(order))


@act
def _kept_from_again(order: PayoutT) -> str:
    """Why it is not sent again; nothing where it is, which counts from now on: it cannot go on to another gateway."""
    found = orders.locked(order)
    if found.member.state != Member.State.ACTIVE:
        return "the member is stopped"
    if isinstance(found, Withdrawal) and found.wallet.state != Wallet.State.OPEN:
        return "the wallet is stopped"
    if found.decided or found.gateway != order.gateway:
        return "it went on meanwhile"
    orders.update(found, times_sent=found.times_sent + 1)
    return ""
