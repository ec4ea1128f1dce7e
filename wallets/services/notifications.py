"""What gateways tell us by themselves: proven to be theirs, stored, and only then taken into account.

A gateway that hears no 200 tells again, so that nothing is lost before it is stored; what is stored is worked off by
whoever comes first, the request that brought it or the job that looks for what was left.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import open_items
from paymentsite.core.vault import Secret
from paymentsite.ledger.refusals import Unposted
from wallets.gateways import registry
from wallets.gateways.base import Answer, OrderKind, Outcome, Told
from wallets.models import GatewayOrder, Notification, OrderEvent, ProofDeposit, TopUp, Withdrawal
from wallets.services import orders, outcomes, refunds

log = structlog.get_logger(__name__)

State = Notification.State
STRAY: Final = "stray_notification"
_CHUNK: Final = 500
_MOVED: Final = frozenset({Outcome.SUCCEEDED, Outcome.RETURNED})


def receive(*, gateway: str, headers: Mapping[str, str], body: bytes) -> Notification:
    """Keep what ``gateway`` told, once for each of its event ids. Raises ``NotAuthentic``, and then keeps nothing."""
    told = registry.get(gateway).read(headers, body)
    return _stored(gateway, told, told.safe_body or body.decode(errors="replace"))


@act
def _stored(gateway: str, told: Told, body: str) -> Notification:
    now = clock.now()
    answer = told.answer or Answer(outcome=Outcome.UNKNOWN)
    found, _new = Notification.objects.get_or_create(
        gateway=gateway,
        event_id=told.event_id[:128],
        defaults={
            "public_id": uuid7(now),
            "kind": str(told.kind),
            "about": (told.about or "")[:64],
            "outcome": str(answer.outcome) if told.answer else "",
            "gateway_reference": answer.gateway_reference[:128],
            "amount_minor": answer.amount.minor if answer.amount else None,
            "currency": answer.amount.unit if answer.amount else "",
            "reason": clear(answer.reason)[:255],
            "body": Secret(body.replace("\0", "\ufffd")),
            "received_at": now,
        },
    )
    return found


@act
def process(*, notification: Notification) -> Notification:
    """The order that it is about is as it says, or further. Done once, whoever comes first."""
    told = Notification.objects.get(pk=notification.pk)
    if told.state != State.RECEIVED:
        return told
    state = _taken_into_account(told)
    Notification.objects.waiting().filter(pk=told.pk).update(state=state, processed_at=clock.now(), **_forgotten(told))
    told.refresh_from_db()
    return told


def _taken_into_account(told: Notification) -> State:
    if not (told.about and told.outcome):
        return State.IGNORED
    answer = _answer(told)
    order = _order(told)
    if order is None:
        if answer.outcome in _MOVED:
            why = f"{told.gateway} says that an order {told.about} {answer.outcome}, and we know of none."
            open_items.open(kind=STRAY, subject=told, why=why, by=SYSTEM)
        return State.STRAY
    origin = OrderEvent.Origin.NOTIFICATION
    if told.kind == OrderKind.REFUND and isinstance(order, TopUp):
        refunds.settle(order=order, answer=answer, origin=origin, gateway=told.gateway)
    else:
        outcomes.settle(order=order, answer=answer, origin=origin, gateway=told.gateway)
    return State.PROCESSED


def _forgotten(told: Notification) -> dict[str, None]:
    """Of somebody who was erased meanwhile nothing new is kept either."""
    order = _order(told)
    return {"body": None} if order and order.member.erased_at else {}


def _answer(told: Notification) -> Answer:
    amount = None if told.amount_minor is None else Money(told.amount_minor, told.currency)
    return Answer(
        outcome=Outcome(told.outcome),
        gateway_reference=told.gateway_reference,
        amount=amount,
        reason=told.reason,
    )


def _order(told: Notification) -> GatewayOrder | None:
    try:
        reference = UUID(told.about)
    except ValueError:
        return None
    match told.kind:
        case OrderKind.PAYOUT:
            withdrawal = Withdrawal.objects.filter(public_id=reference).first()
            return withdrawal or ProofDeposit.objects.filter(public_id=reference).first()
        case OrderKind.REFUND:
            return TopUp.objects.filter(refund_id=reference).first()
    return TopUp.objects.filter(public_id=reference).first()


def process_left() -> int:
    """Take into account what was stored and left; how many. One that fails keeps no other from it."""
    done, last = 0, 0
    while left := list(Notification.objects.waiting().filter(pk__gt=last)[:_CHUNK]):
        done += sum(_processed(told) for told in left)
        last = left[-1].pk
    return done


def _processed(told: Notification) -> bool:
    try:
        process(notification=told)
    except Unposted as refusal:
        _refused(told, refusal)
        return False
    except Exception:  # the edge: it stays as it is, is tried again, and verify names it
        log.exception("notification failed", notification=str(told.public_id))
        return False
    return True


@act
def _refused(told: Notification, refusal: Unposted) -> None:
    """A person looks why the books refuse it; unless they have taken it meanwhile, which only a lock tells."""
    order = _order(told)
    if order is not None:
        found = orders.locked(order)
        if Notification.objects.waiting().filter(pk=told.pk).exists():
            orders.refused_by_books(found, refusal)
