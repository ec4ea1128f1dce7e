"""What came back: how much of an order that is, and what follows where all of it did, or a part."""

from enum import Enum, auto
from typing import Final

from paymentsite.core.money import Money
from wallets.gateways.base import Answer
from wallets.models import GatewayOrder, TopUp, Withdrawal
from wallets.models.orders import State
from wallets.services import bookings, endings, orders
from wallets.services.orders import Origin

BookedTo = GatewayOrder.BookedTo

_PART: Final = "{back} of it came back, so that {left} of it stayed moved."


class Share(Enum):
    """How much of an order came back, in all, compared with what had moved."""

    ALL = auto()
    PART = auto()
    KNOWN = auto()
    STRANGE = auto()


def share(order: GatewayOrder, back: Money | None) -> Share:
    """What ``back``, all that ever came back, is of the order; nothing named is all of it."""
    whole = order.moved + order.came_back
    if back is None or back == whole:
        return Share.ALL
    if back.unit != whole.unit or back > whole:
        return Share.STRANGE
    return Share.KNOWN if back <= order.came_back else Share.PART


def stayed(order: GatewayOrder, back: Money) -> Money:
    """What stays moved once ``back`` came back in all; the order remembers that it did."""
    left = order.moved + order.came_back - back
    orders.update(order, came_back_minor=back.minor)
    return left


def less_to_decide(order: GatewayOrder, answer: Answer, origin: Origin, back: Money) -> None:
    """Nothing is booked yet, and less is to be: a decision that was proposed about more is looked at again."""
    left = stayed(order, back)
    orders.update(order, moved_minor=left.minor, moved_currency=left.unit)
    why = _PART.format(back=back, left=left)
    orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=why)
    orders.needs_person(order, orders.DIFFERS if order.state == State.CONFLICT else orders.CONTRADICTS, why)


def top_up_taken_back(order: TopUp, answer: Answer, origin: Origin) -> None:
    """What came is gone: missing where it was booked, and never the member's where it was not."""
    journal = bookings.was_taken_back(order) if order.journal_id else None
    orders.change(order, State.RETURNED, origin=origin, answer=answer, return_journal_id=journal)
    orders.resolved(order, orders.DIFFERS)
    orders.resolved(order, orders.LATE)
    waited = orders.resolved(order, orders.SUSPENDED)
    if journal is None or (order.booked_to == BookedTo.SUSPENSE and waited):
        endings.not_topped_up(order)
    elif order.booked_to == BookedTo.SUSPENSE:
        why = "It was taken back, and what had come is in suspense no more: it is missing there."
        orders.needs_person(order, orders.CHARGED_BACK, why)
    else:
        orders.needs_person(order, orders.CHARGED_BACK, "It was taken back: the member has what we have not.")
        endings.taken_back(order)


def withdrawal_came_back(order: Withdrawal, answer: Answer, origin: Origin) -> None:
    """What left is here again; where it was never booked, what is on hold for it can be spent again."""
    if order.journal_id is None:
        bookings.let_go(order)
        orders.change(order, State.RETURNED, origin=origin, answer=answer)
        for kind in (orders.DIFFERS, orders.UNBOOKABLE):
            orders.resolved(order, kind)
        endings.paid_back(order)
        return
    wallet = order.wallet if bookings.takes(order.wallet) else None
    journal = bookings.came_back(order, wallet=wallet)
    orders.change(order, State.RETURNED, origin=origin, answer=answer, return_journal_id=journal)
    orders.resolved(order, orders.CONTRADICTS)
    if order.booked_to == BookedTo.SUSPENSE:
        # When it had failed, the member was given it.
        if _missed_no_more(order):
            endings.paid_back(order)
        else:
            endings.came_back_to_suspense(order)
    elif wallet is None or order.moved.unit != order.currency:
        endings.came_back_to_suspense(order)
        orders.needs_person(order, orders.SUSPENDED, "It came back and cannot be on the wallet: it is in suspense.")
    else:
        endings.paid_back(order)
        if order.moved > order.amount:
            _missed_no_more(order)


def _missed_no_more(order: Withdrawal) -> bool:
    """What had left out of suspense is there again. Nothing is to be done, unless somebody has settled it meanwhile;
    whether nobody had."""
    late, missed = orders.resolved(order, orders.LATE), orders.resolved(order, orders.SUSPENDED)
    if not (late or missed):
        why = "It came back into suspense, where it was missed no more: somebody had settled it."
        orders.needs_person(order, orders.SUSPENDED, why)
    return late or missed
