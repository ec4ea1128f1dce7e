"""What an order becomes of what its gateway says: the one place that decides, whoever brought the answer.

Answers come late, twice, and in any order: they only ever lead forward, from *under way* over *failed* to *succeeded*
to *returned*, and each step books once. What is heard of as returned before it was booked never is, and that it had
succeeded changes nothing any more. Where a payout's answers contradict each other, neither is believed before the
gateway has been asked again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.money import Money
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, OrderEvent, Payout, ProofDeposit, TopUp, Withdrawal
from wallets.models.orders import UNDECIDED, State
from wallets.services import bookings, deposit_outcomes, endings, gateway_calls, orders, returns
from wallets.services.orders import OrderT, Origin

BookedTo = GatewayOrder.BookedTo

_UNDER_WAY: Final = {Outcome.PENDING: State.PENDING, Outcome.REQUIRES_ACTION: State.REQUIRES_ACTION}


@act
def settle(*, order: OrderT, answer: Answer, origin: OrderEvent.Origin, gateway: str) -> OrderT:
    """The order is what ``gateway``'s ``answer`` makes of it, booked. Repeated, it changes nothing.

    What another gateway says than the one that the order went to in the end, books nothing.
    """
    order = orders.locked(order)
    if order.gateway != gateway:
        why = f"though it had refused it and {order.gateway} was asked instead"
        orders.told_by_another(order, answer, origin, gateway, why)
        return order
    if answer.gateway_reference and not order.gateway_reference:
        orders.update(order, gateway_reference=answer.gateway_reference[:128])
    if origin == Origin.CALL and isinstance(order, Payout) and order.times_sent > 1:
        # The same was asked for more than once: that one request failed does not mean that the other one did.
        answer = gateway_calls.unless_failed(answer)
    match answer.outcome:
        case Outcome.SUCCEEDED:
            _succeeded(order, answer, origin)
        case Outcome.FAILED:
            _failed(order, answer, origin)
        case Outcome.RETURNED:
            _returned(order, answer, origin)
        case Outcome.PENDING | Outcome.REQUIRES_ACTION:
            _under_way(order, answer, origin)
        case Outcome.UNKNOWN | Outcome.ABSENT:
            _unclear(order, answer, origin)
            return order
    if origin == Origin.QUERY and order.decided and order.next_query_at and order.state != State.RETURNING:
        orders.update(order, next_query_at=None)
        # What it had said before, and our books refused, it says no more.
        orders.resolved(order, orders.UNBOOKABLE)
    return order


def _succeeded(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    if order.state in {State.SUCCEEDED, State.CONFLICT}:
        _moved_as_known(order, answer, origin)
        return
    if order.state not in {*UNDECIDED, State.FAILED}:
        return
    if order.state == State.FAILED and not _believed(order, answer, origin):
        return
    moved = answer.amount or order.amount
    if moved != order.amount:
        _MEANS[type(order)].moved_other(order, answer, origin, moved)
    else:
        _MEANS[type(order)].moved(order, answer, origin)


def _moved_as_known(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    """What was said to have moved is booked, or waits for staff; said otherwise later, a person looks."""
    said = answer.amount
    if said is None or said in {order.moved, order.moved + order.came_back}:
        return
    orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
    why = f"Its gateway says now that {said} moved."
    orders.needs_person(order, orders.CONTRADICTS, why)


def _differs(order: TopUp | Withdrawal, answer: Answer, origin: Origin, moved: Money) -> None:
    """Something else moved than we asked for: nothing is posted before staff has decided."""
    orders.change(
        order,
        State.CONFLICT,
        origin=origin,
        answer=answer,
        reason=f"{moved} moved",
        moved_minor=moved.minor,
        moved_currency=moved.unit,
    )
    why = f"We asked for {order.amount}, and {moved} moved."
    if order.came_back_minor:
        why += f" Of what had moved before, {order.came_back} came back."
    orders.needs_person(order, orders.DIFFERS, why)
    endings.differs(order)


def _came_in(order: TopUp, answer: Answer, origin: Origin) -> None:
    late = order.state == State.FAILED
    on_wallet = bookings.takes(order.wallet)
    fee = order.fee if on_wallet and not late else Money.zero(order.currency)
    wallet = order.wallet if on_wallet else None
    journal = bookings.came_in(order, amount=order.amount, fee=fee, wallet=wallet)
    orders.change(
        order,
        State.SUCCEEDED,
        origin=origin,
        answer=answer,
        journal_id=journal,
        booked_to=BookedTo.WALLET if on_wallet else BookedTo.SUSPENSE,
        fee_minor=fee.minor,
    )
    if late:
        endings.happened_after_all(order)
        orders.needs_person(order, orders.LATE, "The gateway had said that it failed. The money came and is booked.")
    if on_wallet:
        endings.topped_up(order)
    else:
        endings.fee_given_back(order)
        endings.kept_aside(order)
        orders.needs_person(order, orders.SUSPENDED, "It came for a wallet that takes nothing, and is in suspense.")


def _went_out(order: Withdrawal, answer: Answer, origin: Origin) -> None:
    late = order.state == State.FAILED
    if not (late or bookings.moves(order.wallet)):
        orders.needs_person(order, orders.UNBOOKABLE, "It was paid, and its wallet's account is frozen in the ledger.")
        _wait(order, answer, origin)
        return
    journal = bookings.went_out(order, amount=order.amount)
    orders.change(
        order,
        State.SUCCEEDED,
        origin=origin,
        answer=answer,
        journal_id=journal,
        booked_to=BookedTo.SUSPENSE if late else BookedTo.WALLET,
        fee_minor=0 if late else order.fee_minor,
    )
    orders.resolved(order, orders.UNBOOKABLE)
    if late:
        endings.happened_after_all(order)
        endings.paid_after_all(order)
        orders.needs_person(
            order, orders.LATE, "The gateway had said that it failed, and we gave it back. It was paid all the same."
        )
    else:
        endings.paid_out(order)


def _wait(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    """It is decided at the gateway, and cannot be booked yet: it stays under way, and is asked about again."""
    if order.state != State.PENDING:
        orders.change(order, State.PENDING, origin=origin, answer=answer)


def _failed(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    if order.state == State.SUCCEEDED and isinstance(order, Payout):
        # Paid, and then not: it came back, all of it. Or an old message; the gateway knows.
        if _believed(order, answer, origin):
            _returned(order, replace(answer, amount=None), origin)
    elif order.state in UNDECIDED:
        _MEANS[type(order)].failed(order, answer, origin)
    elif order.state == State.CONFLICT:
        # Something moved, it had said. Staff decides, and has to know of this before.
        orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
        orders.needs_person(order, orders.CONTRADICTS, "Its gateway says now that it failed. Find out first.")
    elif order.state == State.SUCCEEDED and origin == Origin.CALL:
        orders.ask_again(order, clock.now())
    elif order.state == State.SUCCEEDED and origin == Origin.QUERY:
        # A message may be an old one; a gateway that was asked how it stands speaks of now.
        orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
        orders.needs_person(order, orders.CONTRADICTS, "Its gateway says now that it failed, and it is booked.")


def _never_came(order: TopUp, answer: Answer, origin: Origin) -> None:
    orders.change(order, State.FAILED, origin=origin, answer=answer)
    endings.failed(order)


def _never_went(order: Withdrawal, answer: Answer, origin: Origin) -> None:
    bookings.let_go(order)
    orders.change(order, State.FAILED, origin=origin, answer=answer)
    endings.failed(order)


def _returned(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    if order.state == State.RETURNED:
        return
    match returns.share(order, answer.amount):
        case returns.Share.ALL if order.state != State.FAILED or _believed(order, answer, origin):
            _MEANS[type(order)].returned(order, answer, origin)
        case returns.Share.PART:
            _partly_returned(order, answer, origin)
        case returns.Share.KNOWN if answer.amount != order.came_back:
            # Less than before: an old message, or another charge-back that its gateway tells apart.
            orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
            orders.needs_person(order, orders.CONTRADICTS, "Less came back than before, or more did. Look there.")
        case returns.Share.STRANGE:
            orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)
            orders.needs_person(order, orders.CONTRADICTS, "Something came back that never moved, as far as we know.")


def _partly_returned(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    """What stayed moved is what moved: something else than we asked for."""
    back = answer.amount or order.moved
    if order.state == State.SUCCEEDED:
        orders.needs_person(order, orders.CONTRADICTS, "Only a part of it came back. Nothing is booked of that.")
    elif order.state in {State.CONFLICT, State.RETURNING}:
        returns.less_to_decide(order, answer, origin, back)
    elif order.state in UNDECIDED or _believed(order, answer, origin):
        _MEANS[type(order)].moved_other(order, answer, origin, returns.stayed(order, back))


class _Meaning(NamedTuple):
    """What the answers mean that end an order of one kind."""

    moved: Callable[[Any, Answer, Origin], None]
    moved_other: Callable[[Any, Answer, Origin, Money], None]
    failed: Callable[[Any, Answer, Origin], None]
    returned: Callable[[Any, Answer, Origin], None]


_MEANS: Final[dict[type[GatewayOrder], _Meaning]] = {
    TopUp: _Meaning(_came_in, _differs, _never_came, returns.top_up_taken_back),
    Withdrawal: _Meaning(_went_out, _differs, _never_went, returns.withdrawal_came_back),
    ProofDeposit: _Meaning(
        deposit_outcomes.went_out,
        deposit_outcomes.went_out_otherwise,
        deposit_outcomes.never_went,
        deposit_outcomes.came_back,
    ),
}


def _under_way(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    state = _UNDER_WAY[answer.outcome]
    # The member having acted, it is pending again; a message from before that must not ask them once more.
    again = order.state == State.PENDING and (state != State.REQUIRES_ACTION or orders.had_page(order))
    if order.state in UNDECIDED and order.state != state and not again:
        columns: dict[str, Any] = {}
        if isinstance(order, TopUp) and (answer.action_url or answer.action_code):
            columns = {"action_url": answer.action_url, "action_code": answer.action_code}
        orders.change(order, state, origin=origin, answer=answer, **columns)


def _unclear(order: GatewayOrder, answer: Answer, origin: Origin) -> None:
    if order.state == State.CREATED:
        orders.change(order, State.UNKNOWN, origin=origin, answer=answer)
    elif order.state in UNDECIDED:
        orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason)


def _believed(order: GatewayOrder, answer: Answer, origin: Origin) -> bool:
    """Whether an answer that contradicts what was booked is taken at once; else the gateway is asked, at once."""
    # What a call answers may have been true when it was made: only a question is answered about now.
    if isinstance(order, TopUp) or origin == Origin.QUERY:
        return True
    orders.tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason, by=SYSTEM)
    orders.ask_again(order, clock.now())
    return False
