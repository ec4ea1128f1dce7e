"""Going to the next gateway, where the one before surely did nothing. Never after an unknown outcome."""

from paymentsite.core import clock
from paymentsite.core.acts import act
from wallets.gateways.base import NOT_REACHED, Answer, Outcome
from wallets.models import GatewayOrder, GatewayRoute, OrderEvent, Payout
from wallets.services import orders, routing
from wallets.services.orders import OrderT


@act
def elsewhere(order: OrderT, answer: Answer, *, kind: GatewayRoute.Kind) -> OrderT | None:
    """The order at the next gateway, to be asked now; None when ``answer`` is the order's own, or nobody is left."""
    if answer.outcome != Outcome.FAILED or not (answer.untried or answer.reason == NOT_REACHED):
        return None
    found = orders.locked(order)
    if found.state != GatewayOrder.State.CREATED or found.gateway != order.gateway:
        return None
    if isinstance(found, Payout) and found.times_sent > 1:
        # Somebody has asked the same gateway again, which may do it.
        return None
    tried = {found.gateway, *orders.events(found).values_list("gateway", flat=True)}
    able = routing.candidates(kind=kind, method=found.method, amount=found.amount, now=clock.now())
    following = next((name for name in able if name not in tried), None)
    if following is None:
        return None
    orders.tell(found, origin=OrderEvent.Origin.CALL, outcome=routing.UNTRIED, reason=answer.reason)
    orders.update(found, gateway=following)
    return found
