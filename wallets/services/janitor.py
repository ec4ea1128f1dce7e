"""The janitor: asks gateways how orders ended that nobody told us about, until somebody knows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeGuard

import structlog

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.waiting import First
from paymentsite.ledger.refusals import Unposted
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, Payout, ProofDeposit, TopUp, Withdrawal
from wallets.models.orders import ORDER_KINDS, State
from wallets.services import gateway_calls, orders, outcomes, payouts, refunds
from wallets.services.orders import OrderT, Origin

log = structlog.get_logger(__name__)


_CHUNK: Final = 500
# A top-up that the gateway does not know of at the second question never got there; should it after all, it counts.
_ABSENT_FAILS: Final = 2
# Some gateways hear of an order only when the member opens its page, and pages stay payable for half an hour. What had
# one is believed absent at the question after two hours, by when every page is over, and not before. What the member
# has not acted on by then is taken back, where the gateway can do that.
PAGES_OVER: Final = orders.ASKED_AFTER[3]
NEVER_CAME: Final = Answer(outcome=Outcome.FAILED, reason="the gateway never heard of it")


def ask_due(*, now: datetime) -> int:
    """Ask about every order whose time has come; how many. Twice, late or at once, each is asked about once."""
    asked = 0
    for order in _due(now):
        try:
            asked += ask(order=order, now=now) is not None
        except Unposted as refusal:
            _refused(order, refusal)
        except Exception:  # the edge: one order's failure keeps no other from being asked about
            log.exception("order could not be settled", order=order.source)
    return asked


@act
def _refused(order: OrderT, refusal: Unposted) -> None:
    """A person looks why the books refuse it; unless they have taken it meanwhile, which only a lock tells."""
    found = orders.locked(order)
    if found.state == order.state and found.next_query_at is not None:
        orders.refused_by_books(found, refusal)


def _due(now: datetime) -> Iterator[TopUp | Withdrawal | ProofDeposit]:
    for kind in ORDER_KINDS:
        yield from kind.objects.due(now)[:_CHUNK]


# The next moment at which an order is to be asked about.
next_due: Final = First("next_query_at", *(kind.objects.all for kind in ORDER_KINDS))


def ask(*, order: OrderT, now: datetime | None = None, by: Actor = SYSTEM) -> OrderT | None:
    """Ask the order's gateway how it stands, and make that of it. None when it is not due ``now``; without, it is."""
    claimed = _claim(order, now, by)
    if claimed is None:
        return None
    if claimed.state == State.RETURNING and isinstance(claimed, TopUp):
        answer, origin = _refunded(claimed)
        refunds.settle(order=claimed, answer=answer, origin=origin, gateway=claimed.gateway)
        return claimed
    answer, origin = _answer(claimed)
    return outcomes.settle(order=claimed, answer=answer, origin=origin, gateway=claimed.gateway)


@act
def _claim(order: OrderT, due: datetime | None, by: Actor) -> OrderT | None:
    """The order, its next question put off: whoever else looks now finds it not due."""
    found = orders.locked(order)
    if due is not None and (found.next_query_at is None or found.next_query_at > due):
        return None
    asked = found.queries + 1
    open_ended = not found.decided or found.state == State.RETURNING
    later = orders.next_query_at(found, asked) if open_ended else None
    if later is not None and later <= clock.now():
        later = _past(found)
    if not open_ended and found.next_query_at is not None:
        later = _until_answered(found, asked)
    orders.update(found, queries=asked, next_query_at=later)
    if due is None:
        orders.tell(found, origin=Origin.STAFF, reason="asked the gateway", by=by)
    if open_ended and asked >= len(orders.ASKED_AFTER):
        orders.needs_person(found, orders.STUCK, f"After {asked} questions its gateway has not said how it ended.")
    return found


def _until_answered(order: GatewayOrder, asked: int) -> datetime | None:
    """A decided order is asked about because something contradicts it: again until there is an answer, however often
    the question is cut off; after that a person looks."""
    if asked < orders.QUERIES_MAX:
        return clock.now() + orders.ASKED_AFTER[1]
    orders.needs_person(order, orders.CONTRADICTS, "Its gateway contradicted itself, and does not say what is true.")
    return None


def _past(order: GatewayOrder) -> datetime | None:
    """Asked late, or out of turn: the next moment of the schedule that is still to come."""
    now = clock.now()
    coming = (order.created_at + after for after in orders.ASKED_AFTER)
    return next((moment for moment in coming if moment > now), orders.next_query_at(order, len(orders.ASKED_AFTER)))


def _refunded(order: TopUp) -> tuple[Answer, Origin]:
    answer = gateway_calls.query(order)
    if answer.outcome != Outcome.ABSENT:
        return answer, Origin.QUERY
    return gateway_calls.give_back(order), Origin.CALL


def _answer(order: GatewayOrder) -> tuple[Answer, Origin]:
    answer = gateway_calls.query(order)
    if answer.outcome == Outcome.REQUIRES_ACTION and _abandoned(order):
        answer = gateway_calls.cancel(order)
    if answer.outcome != Outcome.ABSENT or order.decided:
        return answer, Origin.QUERY
    if isinstance(order, Payout):
        return payouts.send_again(order), Origin.CALL
    return (NEVER_CAME if _never_comes(order) else answer), Origin.QUERY


def _abandoned(order: GatewayOrder) -> TypeGuard[TopUp]:
    """Whether the member was asked to act, has not, and shall not any more."""
    if not isinstance(order, TopUp) or order.decided or clock.now() < order.created_at + PAGES_OVER:
        return False
    return gateway_calls.can_cancel(order)


def _never_comes(order: GatewayOrder) -> bool:
    """Whether an order that its gateway does not know of can no longer get there."""
    if order.queries < _ABSENT_FAILS:
        return False
    return clock.now() >= order.created_at + PAGES_OVER or not orders.had_page(order)
