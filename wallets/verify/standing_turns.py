"""When standing orders go next, and by whom they are paused: by their plan, what they did, and the audit trail."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import CharField, DateTimeField, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from paymentsite.core.actors import STAFF, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from wallets import calendar
from wallets.models import StandingOrder, StandingRun
from wallets.services.standing_days import following
from wallets.services.standing_pauses import is_own
from wallets.services.standing_runs import AGAIN_AFTER
from wallets.verify import moves

State = StandingOrder.State

_SUBJECT: Final = Concat(Value(f"{StandingOrder._meta.label_lower}:"), Cast(OuterRef("pk"), CharField()))
# Who moves is told to have a moment after their orders have followed them.
_SLACK: Final = timedelta(minutes=10)
# What is yet to come of a day began somewhere two days before it is over by UTC, and a day after it at the latest.
_AROUND: Final = range(-2, 2)


@check(
    "wallets.next_turn_follows",
    "A standing order goes next on the day after its last, or since it was resumed, at nine where its member lives.",
    whole=True,
)
def next_turn_follows(run: Run) -> Iterator[Fault]:
    for order in _active().order_by("pk").iterator(chunk_size=1_000):
        name = f"standing order {order.public_id}"
        if order.waits_on is not None:
            days, moments = {order.waits_on}, {order.waits_since + AGAIN_AFTER}
        else:
            days = _days(order)
            moments = {calendar.moment(order.next_on, zone) for zone in moves.zones(run, order.member)}
        if order.next_on not in days:
            expected = " or ".join(map(str, sorted(day for day in days if day))) or "none"
            yield name, f"its next day is {order.next_on}, which should be {expected}"
        elif order.next_at not in moments and not _followed(run, order):
            yield name, f"it is tried at {order.next_at} for {order.next_on}"


def _active() -> QuerySet[Any]:
    """Each with its last day that is over, the one that waits, and when it was last resumed."""
    resumed = AuditEntry.objects.filter(act=f"standing_order.{State.ACTIVE}", subject=_SUBJECT).order_by("-pk")
    waiting = StandingRun.objects.filter(order=OuterRef("pk"), state=StandingRun.State.WAITING)
    over = ~Q(runs__state=StandingRun.State.WAITING)
    return (
        StandingOrder.objects.active()
        .select_related("member")
        .annotate(
            last_on=Max("runs__due_on", filter=over),
            last_at=Max("runs__at", filter=over),
            waits_on=Subquery(waiting.values("due_on")[:1]),
            waits_since=Subquery(waiting.values("at")[:1], output_field=DateTimeField()),
            resumed_at=Subquery(resumed.values("at")[:1], output_field=DateTimeField()),
        )
    )


def _days(order: Any) -> set[date | None]:
    """On which days the order may go next."""
    if order.resumed_at is None or (order.last_at is not None and order.last_at > order.resumed_at):
        return {order.starts_on if order.last_on is None else following(order, order.last_on)}
    around = [order.resumed_at.date() + timedelta(days=days) for days in _AROUND]
    return {following(order, max(day, order.last_on) if order.last_on else day) for day in around}


def _followed(run: Run, order: Any) -> bool:
    """Whether it went at once because its member moved to where it was later than nine."""
    return order.waits_on is None and any(
        at - _SLACK <= order.next_at <= at for at in moves.moved_at(run, order.member)
    )


@check(
    "wallets.paused_by_as_told",
    "A standing order is paused by whom the audit trail tells of: its member, staff, or us for its refusals.",
    whole=True,
)
def paused_by_as_told(run: Run) -> Iterator[Fault]:
    paused = StandingOrder.objects.filter(state=State.PAUSED).order_by("pk")
    run.seen["paused standing orders"] = paused.count()
    for order in paused.iterator(chunk_size=1_000):
        told = _paused_by(order)
        if order.paused_by != told:
            yield f"standing order {order.public_id}", f"it is paused by {order.paused_by}, told was {told or 'nobody'}"


def _paused_by(order: StandingOrder) -> str:
    """Who holds it, by all that is told of its pauses, in the words of ``standing_orders.pause``."""
    front, own = "", ""
    pauses = AuditEntry.objects.of(order).filter(act__in=[f"standing_order.{state}" for state in State]).order_by("pk")
    for act, by, before in pauses.values_list("act", "by", "before"):
        if act != f"standing_order.{State.PAUSED}":
            front = own = ""
            continue
        actor = Actor.parse(by)
        if before == State.ACTIVE:
            front = own = ""
        if is_own(order, actor):
            own = by
            # Staff's hold stays in front of it.
            front = front if _held(order, front) else by
        else:
            # Staff who let go of it leave it to its member, who had paused it, too.
            front = own if _held(order, front) else by
    return front


def _held(order: StandingOrder, front: str) -> bool:
    if not front:
        return False
    actor = Actor.parse(front)
    return actor.kind == STAFF and not is_own(order, actor)
