"""What all orders to gateways share: their changes, their events, when they are asked about.

Everything here is called with the order's member locked, in the one transaction of its caller.
"""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from members.models import Member
from members.services.references import check_reference
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.money import Money
from paymentsite.core.services import audit, open_items
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, OrderEvent, TopUp, Wallet
from wallets.models.orders import State
from wallets.services import wording
from wallets.services.wallets import NoSuchWallet

Origin = OrderEvent.Origin
OrderT = TypeVar("OrderT", bound=GatewayOrder)

# When the gateway is asked how an order stands, counted from its beginning; after the last, a person looks.
ASKED_AFTER: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(days=1),
)
# With the item open we go on asking, so that it may close by itself.
_ASKED_AFTER_THAT: Final = timedelta(days=1)
QUERIES_MAX: Final = 30

STUCK: Final = "order_stuck"
DIFFERS: Final = "order_differs"
LATE: Final = "order_late"
SUSPENDED: Final = "order_in_suspense"
UNBOOKABLE: Final = "order_not_bookable"
CHARGED_BACK: Final = "order_charged_back"
CONTRADICTS: Final = "order_contradicts"

TOLD: Final = "order.event"
_REASON_MAX: Final = 255


class AmountInvalid(Invalid):
    code = "order_amount_invalid"
    sentence = gettext_noop("{amount} cannot be moved here: it must be more than nothing, in {currency}.")


class OrderDiffers(Conflict, fields=wording.Part):
    code = "order_differs"
    sentence = gettext_noop("Reference {reference} was used before, for something else. What differs: {fields}.")


class OrderMoved(Conflict, state=State):
    code = "order_moved"
    sentence = gettext_noop("This order changed meanwhile: it is {state} now. Look again.")


def check_asked(*, wallet: Wallet, amount: Money, reference: str) -> None:
    """Raise unless such an order can be at all."""
    check_reference(reference)
    if amount.unit != wallet.currency or amount.minor <= 0:
        raise AmountInvalid(amount=amount, currency=wallet.currency)


def wallet_of(member: Member, wallet: Wallet) -> Wallet:
    """The wallet as it stands, if it is the member's, who is locked; raises ``NoSuchWallet``."""
    found = Wallet.objects.of(member).filter(pk=wallet.pk).select_related("account").first()
    if found is None:
        raise NoSuchWallet
    return found


def same(first: OrderT, **asked: Any) -> OrderT:
    """The first order under a reference, when this is what it asked for."""
    if fields := wording.differing(first, asked):
        raise OrderDiffers(reference=first.reference, fields=fields)
    return first


def locked(order: OrderT) -> OrderT:
    """The order as it stands, its member locked: nobody else changes it before this transaction ends."""
    Member.objects.lock(order.member_id)
    found: OrderT = type(order).objects.select_related(*order.joined).get(pk=order.pk)
    return found


def change(
    order: GatewayOrder,
    state: State,
    *,
    origin: Origin,
    answer: Answer | None = None,
    reason: str = "",
    by: Actor = SYSTEM,
    **columns: Any,
) -> None:
    """The order is ``state`` from now on, with an event. It must still be as it was read."""
    now = clock.now()
    reason = clear(reason or (answer.reason if answer else ""))[:_REASON_MAX]
    columns = {"state": state, "reason": reason, "changed_at": now, **columns}
    if answer and answer.gateway_reference:
        columns["gateway_reference"] = answer.gateway_reference[:128]
    if state not in _ASKED:
        columns["next_query_at"] = None
    update(order, **columns)
    tell(order, origin=origin, outcome=str(answer.outcome) if answer else "", reason=reason, by=by)
    if state not in _ASKED:
        for kind in (STUCK, UNBOOKABLE):
            open_items.close(kind=kind, subject=order, by=SYSTEM, note=f"it is {state} now")


_ASKED: Final = frozenset({State.CREATED, State.PENDING, State.REQUIRES_ACTION, State.UNKNOWN, State.RETURNING})


def update(order: GatewayOrder, **columns: Any) -> None:
    """Write ``columns``, if the order is still in the state in which it was read."""
    changed = type(order).objects.filter(pk=order.pk, state=order.state).update(**columns)
    if changed != 1:
        raise OrderMoved(state=type(order).objects.get(pk=order.pk).state)
    for name, value in columns.items():
        setattr(order, name, value)


def events(order: GatewayOrder) -> QuerySet[OrderEvent]:
    """What happened to the order, in order."""
    return OrderEvent.objects.filter(**_of(order))


def had_page(order: GatewayOrder) -> bool:
    """Whether the member was ever sent to a page, or given a code, by which they may still pay."""
    if isinstance(order, TopUp) and (order.action_url or order.action_code):
        return True
    return events(order).filter(state=State.REQUIRES_ACTION).exists()


def _of(order: GatewayOrder) -> dict[str, Any]:
    return {order.noun: order}


def tell(
    order: GatewayOrder, *, origin: Origin, outcome: str = "", reason: str = "", by: Actor = SYSTEM, gateway: str = ""
) -> None:
    """Write down that something happened to the order, and have the trail know it: what happened to an order says what
    may still become of its money. Without the reason, which a gateway may have written of a person."""
    said = {"origin": origin, "state": order.state, "outcome": outcome, "gateway": gateway or order.gateway}
    OrderEvent.objects.create(**_of(order), **said, reason=clear(reason)[:_REASON_MAX], actor=str(by), at=clock.now())
    audit.record(by=by, act=TOLD, subject=order, after=said)


def told_by_another(order: GatewayOrder, answer: Answer, origin: Origin, gateway: str, why: str) -> None:
    """What another gateway says than the one that has the order changes nothing; if money moved, a person is told."""
    tell(order, origin=origin, outcome=str(answer.outcome), reason=answer.reason, gateway=gateway)
    if answer.outcome in {Outcome.SUCCEEDED, Outcome.RETURNED}:
        needs_person(order, CONTRADICTS, f"{gateway} says {answer.outcome}, {why}.")


def ask_again(order: GatewayOrder, now: datetime) -> None:
    """The gateway is asked at once how the order stands, whatever we think."""
    update(order, next_query_at=now)


def next_query_at(order: GatewayOrder, asked: int) -> datetime | None:
    """When to ask after ``asked`` questions; None when it is enough."""
    if asked < len(ASKED_AFTER):
        return order.created_at + ASKED_AFTER[asked]
    return clock.now() + _ASKED_AFTER_THAT if asked < QUERIES_MAX else None


def needs_person(order: GatewayOrder, kind: str, why: str) -> None:
    """A person looks at the order."""
    open_items.open(kind=kind, subject=order, why=why, by=SYSTEM)


def refused_by_books(order: GatewayOrder, refusal: Exception) -> None:
    """What a gateway says has happened cannot be booked yet: a person looks why; it is tried again all the same."""
    needs_person(order, UNBOOKABLE, f"How its gateway says it ended, our books refuse: {refusal}")


def resolved(order: GatewayOrder, kind: str, *, by: Actor = SYSTEM, note: str = "") -> bool:
    """What a person was to look at is settled; whether anything still was to be looked at."""
    closed = open_items.close(kind=kind, subject=order, by=by, note=note or f"it is {order.state} now")
    return closed is not None
