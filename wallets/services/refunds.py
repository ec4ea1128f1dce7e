"""Top-ups that a gateway gives back for us: done, or not, or done and then not after all.

Nothing of them was ever booked, so whatever a gateway says of a refund is at most for staff to decide about again.
"""

from dataclasses import replace

from paymentsite.core.acts import act
from wallets.gateways.base import Answer, Outcome
from wallets.models import OrderEvent, TopUp
from wallets.models.orders import State
from wallets.services import gateway_calls, orders, returns
from wallets.services.orders import Origin

_UNDONE = frozenset({Outcome.FAILED, Outcome.RETURNED})


@act
def settle(*, order: TopUp, answer: Answer, origin: OrderEvent.Origin, gateway: str) -> TopUp:
    """What was to be given back is, or waits for staff again, as ``gateway`` says of the refund that ``order`` names.

    Of an earlier refund than the one that is under way nothing is believed, nor what another gateway says of it.
    """
    found = orders.locked(order)
    if found.refund_id != order.refund_id:
        return found
    if found.gateway != gateway:
        orders.told_by_another(found, answer, origin, gateway, "though it was never asked to give it back")
        return found
    if origin == Origin.CALL and found.queries > 1:
        # Another request was made before or since, and may yet arrive: that this one failed is not the end.
        answer = gateway_calls.unless_failed(answer)
    # The gateway's name of the refund is not its name of the payment, by which the next refund is asked for.
    answer = replace(answer, gateway_reference="")
    if found.state == State.RETURNING:
        _answered(found, answer, origin)
    elif answer.outcome == Outcome.SUCCEEDED and not (_given_back_so(found) or _heard_of_so(found)):
        orders.tell(found, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
        why = f"Its gateway says now that it was given back, and it is {found.state}."
        orders.needs_person(found, orders.CONTRADICTS, why)
    elif answer.outcome in _UNDONE and _given_back_so(found):
        _again(found, answer, origin, "The gateway had said that it was given back, and it was not after all.")
    return found


def _answered(order: TopUp, answer: Answer, origin: Origin) -> None:
    if answer.outcome in _UNDONE:
        _again(order, answer, origin, "The gateway did not give it back.")
    elif answer.outcome != Outcome.SUCCEEDED:
        orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
    elif answer.amount in {None, order.moved}:
        returns.top_up_taken_back(order, answer, origin)
    elif answer.amount.unit == order.moved.unit and answer.amount < order.moved:
        _again(order, answer, origin, "Only a part of it was given back.")
        returns.less_to_decide(order, answer, origin, order.came_back + answer.amount)
    else:
        _again(order, answer, origin, "Something else was given back than was asked for.")


def _again(order: TopUp, answer: Answer, origin: Origin, why: str) -> None:
    orders.change(order, State.CONFLICT, origin=origin, answer=answer)
    orders.needs_person(order, orders.DIFFERS, f"{why} Decide again.")


def _given_back_so(order: TopUp) -> bool:
    """Whether this refund is what ended the order, and not a person, nor who had paid."""
    _before, ended = _ending(order)
    return ended is not None and ended.outcome == Outcome.SUCCEEDED


def _heard_of_so(order: TopUp) -> bool:
    """Whether that all of it came back was said of the payment, while this refund of all of it was under way: the same
    told twice."""
    before, ended = _ending(order)
    if before is None or ended is None:
        return False
    return (before.state, ended.outcome) == (State.RETURNING, Outcome.RETURNED)


def _ending(order: TopUp) -> tuple[OrderEvent | None, OrderEvent | None]:
    """The last event before the order was returned, and the one by which it was."""
    if order.state != State.RETURNED:
        return None, None
    before = orders.events(order).exclude(state=State.RETURNED).order_by("pk").last()
    ended = orders.events(order).filter(pk__gt=before.pk if before else 0).order_by("pk").first()
    return before, ended
