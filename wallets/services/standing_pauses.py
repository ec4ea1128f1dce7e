"""Who paused a standing order: its member, staff, both, or its refusals. And what its member is told of what we do."""

from typing import Any, Final

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import notices
from paymentsite.core.actors import STAFF, Actor, person_of
from paymentsite.core.errors import Forbidden, as_day
from paymentsite.core.models import AuditEntry
from wallets.models import StandingOrder
from wallets.services import transfers

State = StandingOrder.State

_HELD: Final = notices.kind(
    "standing_order_held",
    gettext_noop("We paused your standing order of {amount} to {whom}. Nothing is sent before we resume it."),
)
_LET_GO: Final = notices.kind(
    "standing_order_let_go",
    gettext_noop("We hold your standing order of {amount} to {whom} no more. You paused it, and can resume it now."),
)
_RESUMED: Final = notices.kind(
    "standing_order_resumed",
    gettext_noop("We resumed your standing order of {amount} to {whom}. It is due next on {day}."),
    day=as_day,
)
_ENDED: Final = notices.kind(
    "standing_order_ended",
    gettext_noop("We ended your standing order of {amount} to {whom}. Nothing more is sent."),
)


class OrderHeld(Forbidden):
    code = "standing_order_held"
    sentence = gettext_noop("This standing order was paused by us. Please ask us about it.")


class OrderPausedByMember(Forbidden):
    code = "standing_order_paused_by_member"
    sentence = gettext_noop("This standing order was paused by its member, and only they can resume it.")


def check_may_resume(order: StandingOrder, *, by: Actor, member: Member | None) -> None:
    """What staff paused, staff resumes; what its member paused, they alone."""
    if held(order) and (member is not None or by.kind != STAFF):
        raise OrderHeld
    if member is None and paused_by_member(order):
        raise OrderPausedByMember


def held(order: StandingOrder) -> bool:
    """Whether staff paused it, and not the member, who may be staff elsewhere."""
    return order.state == State.PAUSED and not paused_by_member(order) and Actor.parse(order.paused_by).kind == STAFF


def paused_by_member(order: StandingOrder) -> bool:
    """Whether it is paused as its own member wishes."""
    return order.state == State.PAUSED and is_own(order, Actor.parse(order.paused_by))


def paused_beneath(order: StandingOrder) -> Actor | None:
    """Its member, when they paused it, too, before staff held it or while staff do: the trail alone still knows."""
    pauses = AuditEntry.objects.of(order).filter(act=f"standing_order.{State.PAUSED}").order_by("-pk")
    for by, before in pauses.values_list("by", "before"):
        if is_own(order, own := Actor.parse(by)):
            return own
        if before == State.ACTIVE:
            # What came before this pause, its member has resumed, or staff.
            break
    return None


def is_own(order: StandingOrder, by: Actor) -> bool:
    return by.person == person_of(order.member_id)


def tell(order: StandingOrder, told: AuditEntry) -> None:
    """Its member hears of what we did to it, which is what it is now."""
    kind, facts = _HELD, dict[str, Any]()
    if order.state == State.ENDED:
        kind = _ENDED
    elif order.state == State.ACTIVE:
        kind, facts = _RESUMED, {"day": order.next_on}
    elif paused_by_member(order):
        kind = _LET_GO
    notices.tell(
        member=order.member,
        kind=kind,
        subject=f"standing_order:{order.public_id}:{told.pk}",
        amount=order.amount,
        whom=transfers.called(order.payee),
        **facts,
    )
