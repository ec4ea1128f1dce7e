"""Standing orders: set up, paused, resumed, ended. What time does to them is in ``standing_runs``."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members, pins
from paymentsite.core import clock
from paymentsite.core.actors import STAFF, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Missing, Refused
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from wallets import calendar
from wallets.models import StandingOrder, StandingRun
from wallets.services import standing_pauses, wallets
from wallets.services.standing_days import first_to_come
from wallets.services.standing_pauses import check_may_resume, held, is_own, paused_beneath, paused_by_member
from wallets.services.transfers import PayeeCannotReceive, ToOneself
from wallets.services.wording import check_same, checked_amount, checked_note, checked_reference, id_for

State = StandingOrder.State
Every = StandingOrder.Every
_AHEAD_MAX: Final = timedelta(days=3660)


class NoSuchOrder(Missing):
    code = "no_such_standing_order"
    sentence = gettext_noop("There is no such standing order.")


class Fault(TextChoices):
    """Why the days of an order can never be."""

    START = "start", _("its first day is today or within the ten years to come")
    END = "end", _("it ends before it begins")
    COUNT = "count", _("it has at least one due day, and at most 10,000")
    EVERY = "every", _("there is no such regularity")


class OrderMalformed(Invalid, why=Fault):
    code = "standing_order_malformed"
    sentence = gettext_noop("The standing order cannot be: {why}.")


class OrderTooLarge(Refused):
    code = "standing_order_too_large"
    sentence = gettext_noop("A standing order sends at most {most} each time.")


class OrderNotOpen(Refused, state=State):
    code = "standing_order_not_open"
    sentence = gettext_noop("This standing order is {state}.")


class OrderOver(Refused):
    code = "standing_order_over"
    sentence = gettext_noop("No due day of this standing order is left.")


class OrderChanged(Conflict):
    code = "standing_order_changed"
    sentence = gettext_noop("This standing order was changed in the meantime.")


@dataclass(frozen=True, slots=True)
class Plan:
    """On which days: from ``starts_on`` on, until ``ends_on`` or as many as ``count``."""

    every: StandingOrder.Every
    starts_on: date
    ends_on: date | None = None
    count: int | None = None


def make(
    *,
    member: Member,
    payee: Member | None,
    amount: Money,
    plan: Plan,
    reference: str,
    by: Actor,
    pin: Secret | None,
    note: str = "",
) -> StandingOrder:
    """On each day of ``plan``, at nine where the member lives, ``amount`` goes to the payee.

    It takes the PIN, which its runs do not ask for; so there is a most that it may send each time. Repeating a
    reference returns the first one.
    """
    pins.check(member=member, pin=pin)
    return _make(
        member=member, payee=payee, amount=amount, plan=plan, reference=reference, by=by, note=checked_note(note)
    )


def schedule(
    *,
    member: Member,
    payee: Member | None,
    amount: Money,
    on: date,
    reference: str,
    by: Actor,
    pin: Secret | None,
    note: str = "",
) -> StandingOrder:
    """The same for a single day."""
    plan = Plan(Every.ONCE, on)
    return make(member=member, payee=payee, amount=amount, plan=plan, reference=reference, by=by, pin=pin, note=note)


@act
def _make(
    *, member: Member, payee: Member | None, amount: Money, plan: Plan, reference: str, by: Actor, note: str
) -> StandingOrder:
    checked_reference(reference)
    checked_amount(amount)
    if plan.every not in Every.values:
        raise OrderMalformed(why=Fault.EVERY)
    terms = {**asdict(plan), "note": note, "count": 1 if plan.every == Every.ONCE else plan.count}
    if payee == member:
        raise ToOneself
    locked = Member.objects.lock_all([member.pk, *([payee.pk] if payee else [])])
    if first := StandingOrder.objects.filter(member=member, reference=reference).first():
        check_same(first, {"payee_id": payee.pk if payee else None, "amount": amount, **terms}, reference=reference)
        return first

    member = locked[member.pk]
    members.check_active(member)
    wallets.of(member=member, currency=amount.unit)
    most = Money(settings.STANDING_ORDER_MAX.get(amount.unit, 0), amount.unit)
    if amount > most:
        raise OrderTooLarge(most=most)
    _check_days(plan, clock.today(member.time_zone))
    # Last, so that nothing else tells whether there is such a payee.
    if payee is None or locked[payee.pk].state == Member.State.CLOSED:
        raise PayeeCannotReceive

    order = StandingOrder.objects.create(
        public_id=id_for(member, "standing_order", reference),
        member=member,
        payee=payee,
        currency=amount.unit,
        amount_minor=amount.minor,
        reference=reference,
        next_on=plan.starts_on,
        next_at=calendar.moment(plan.starts_on, member.zone),
        made_at=clock.now(),
        **terms,
    )
    # Without the note, which goes when one of the two is erased: nothing goes from the trail.
    told = {"amount": amount, "member": member.pk, "payee": payee.pk, **asdict(plan), "count": order.count}
    audit.record(by=by, act="standing_order.made", subject=order, after=told)
    return order


def _check_days(plan: Plan, today: date) -> None:
    if not today <= plan.starts_on <= today + _AHEAD_MAX:
        raise OrderMalformed(why=Fault.START)
    if plan.ends_on is not None and plan.ends_on < plan.starts_on:
        raise OrderMalformed(why=Fault.END)
    if plan.count is not None and not 1 <= plan.count <= 10_000:  # noqa: PLR2004  more than a lifetime of weeks
        raise OrderMalformed(why=Fault.COUNT)


@act
def pause(*, order: StandingOrder, by: Actor, member: Member | None = None, reason: str = "") -> StandingOrder:
    """No due day is done until it is resumed; those that pass meanwhile are not made up for and not counted.

    What is paused already, its member or staff may pause, too: then it takes each of them to have it go on.
    """
    order = _locked(order, member, by)
    if order.state == State.PAUSED:
        _pause_too(order, by=by, member=member, reason=reason)
        return order
    if order.state != State.ACTIVE:
        raise OrderNotOpen(state=order.state)
    give_up_today(order)
    _become(order, State.PAUSED, by=by, member=member, reason=reason, paused_by=str(by))
    return order


def _pause_too(order: StandingOrder, *, by: Actor, member: Member | None, reason: str) -> None:
    own = is_own(order, by)
    if held(order):
        if own and not paused_beneath(order):
            # Staff's hold stays in front; that its member paused it, too, is for the trail to remember.
            _record(order, before=State.PAUSED, by=by, reason=reason)
    elif not paused_by_member(order) if own else by.kind == STAFF:
        # What its member has paused they could resume; what was paused for its refusals, staff.
        _become(order, State.PAUSED, by=by, member=member, reason=reason, paused_by=str(by))


@act
def resume(*, order: StandingOrder, by: Actor, member: Member | None = None, reason: str = "") -> StandingOrder:
    """It goes on with the first due day that is still to come. What staff paused, staff resumes; what its member
    paused, they alone; what was paused for its refusals, either. What staff held and its member had paused, too, is
    paused by its member again."""
    order = _locked(order, member, by)
    if order.state == State.ACTIVE:
        return order
    if order.state != State.PAUSED:
        raise OrderNotOpen(state=order.state)
    check_may_resume(order, by=by, member=member)
    if held(order) and (own := paused_beneath(order)):
        _become(order, State.PAUSED, by=by, member=member, reason=reason, paused_by=str(own))
        return order
    members.check_active(order.member)
    day = first_to_come(order)
    if day is None:
        raise OrderOver
    _become(
        order,
        State.ACTIVE,
        by=by,
        member=member,
        reason=reason,
        paused_by="",
        refused_in_a_row=0,
        next_on=day,
        next_at=calendar.moment(day, order.member.zone),
    )
    return order


@act
def end(*, order: StandingOrder, by: Actor, member: Member | None = None, reason: str = "") -> StandingOrder:
    """It is over, for ever."""
    order = _locked(order, member, by)
    if order.state == State.ENDED:
        return order
    give_up_today(order)
    _become(order, State.ENDED, by=by, member=member, reason=reason, paused_by="")
    return order


def of(*, member: Member, public_id: UUID) -> StandingOrder:
    """The member's own; raises ``NoSuchOrder``."""
    found = StandingOrder.objects.select_related("member", "payee").filter(member=member, public_id=public_id).first()
    if found is None:
        raise NoSuchOrder
    return found


def change(order: StandingOrder, **fields: Any) -> None:
    """Write the order's life down; refused where somebody else did since it was read."""
    as_read = StandingOrder.objects.filter(
        pk=order.pk, state=order.state, next_at=order.next_at, runs_done=order.runs_done
    )
    if not as_read.update(**fields):
        raise OrderChanged
    for name, value in fields.items():
        setattr(order, name, value)


def give_up_today(order: StandingOrder) -> None:
    """A due day that was refused and would be tried once more is refused for good."""
    if StandingRun.objects.filter(order=order, state=StandingRun.State.WAITING).update(state=StandingRun.State.REFUSED):
        change(order, runs_done=order.runs_done + 1)


def _locked(order: StandingOrder, member: Member | None, by: Actor) -> StandingOrder:
    """The order as it is under lock; to a member who is none of its own it does not exist. Staff name no member, and
    are none of the two whom it is between."""
    if member is None:
        check_not_own(by, order.member_id, order.payee_id)
    elif order.member_id != member.pk:
        raise NoSuchOrder
    Member.objects.lock_all([order.member_id, order.payee_id])
    return StandingOrder.objects.select_related("member", "payee").get(pk=order.pk)


def _become(
    order: StandingOrder, state: State, *, by: Actor, member: Member | None, reason: str, **fields: Any
) -> None:
    """Told to its member where it is not they who have it so."""
    before = State(order.state)
    change(order, state=state, **{"next_on": None, "next_at": None, **fields})
    told = _record(order, before=before, by=by, reason=reason)
    if member is None:
        standing_pauses.tell(order, told)


def _record(order: StandingOrder, *, before: State, by: Actor, reason: str) -> AuditEntry:
    what = f"standing_order.{order.state}"
    return audit.record(by=by, act=what, subject=order, before=before, after=order.state, reason=reason)
