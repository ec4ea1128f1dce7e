"""What time does to standing orders: each due day once, in order, and what becomes of it is written down."""

from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.errors import DomainError, as_day, plain
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.waiting import First
from wallets import calendar
from wallets.models import StandingOrder, StandingRun
from wallets.services import due, transfers
from wallets.services.standing_days import following
from wallets.services.standing_orders import change

State = StandingOrder.State
Fate = StandingRun.State

TRIES_MAX: Final = 2
AGAIN_AFTER: Final = timedelta(hours=4)
REFUSED_MAX: Final = 3
STUCK: Final = "standing_order_stuck"

REFUSED = notices.kind(
    "standing_order_refused",
    gettext_noop("Your standing order of {amount} to {whom} was refused and is tried once more today: {why}"),
)
GIVEN_UP = notices.kind(
    "standing_order_given_up",
    gettext_noop("Your standing order of {amount} to {whom} was not carried out for {day}: {why}"),
    day=as_day,
)
MISSED = notices.kind(
    "standing_order_missed",
    gettext_noop("Your standing order of {amount} to {whom} was not carried out for {day}, because we were late."),
    day=as_day,
)
PAUSED = notices.kind(
    "standing_order_paused",
    gettext_noop("Your standing order of {amount} to {whom} is paused: it was refused {times} times in a row."),
)


def carry_out(*, now: datetime) -> int:
    """Do every due day whose moment has come; how many orders had one. Twice, late or at once does each once."""
    rows = StandingOrder.objects.due(now).order_by("next_at", "pk")
    return due.each(rows, lambda order: _carry_out(order=order, now=now), stuck=STUCK)


# The next moment at which an order is tried.
next_due: Final = First("next_at", StandingOrder.objects.active)


@act
def _carry_out(*, order: StandingOrder, now: datetime) -> bool:
    Member.objects.lock_all([order.member_id, order.payee_id])
    order = StandingOrder.objects.select_related("member", "payee").get(pk=order.pk)
    if order.state != State.ACTIVE or order.next_on is None or order.next_at is None or order.next_at > now:
        return False

    day = _latest_due(order, order.next_on, order.next_at, now)
    if order.refused_in_a_row >= REFUSED_MAX:
        _pause(order)
        return True
    run, new = StandingRun.objects.get_or_create(
        order=order, due_on=day, defaults={"public_id": uuid7(now), "state": Fate.WAITING, "at": now}
    )
    if run.state != Fate.WAITING:
        # No service leaves an order on a day that is over; whoever does, nothing goes a second time for it.
        _pass_over(order, day)
        return True
    if not new and not _is_today(order, order.next_at, now):
        # It was to be tried once more on a day that is over, and its member was told so.
        _give_up(order, run, now)
        _go_on(order, refused_in_a_row=order.refused_in_a_row + 1)
        return True
    refusal = _try(order, run)
    if refusal is None:
        _go_on(order, refused_in_a_row=0)
    elif run.tries < TRIES_MAX and _is_today(order, now + AGAIN_AFTER, now):
        _end(run, Fate.WAITING, now)
        change(order, next_at=now + AGAIN_AFTER)
        _tell(order, REFUSED, run.source, why=refusal)
    else:
        _give_up(order, run, now)
        _go_on(order, refused_in_a_row=order.refused_in_a_row + 1)
    return True


def _latest_due(order: StandingOrder, day: date, turn: datetime, now: datetime) -> date:
    """The latest due day that has come, from ``day`` on; those before it were missed, and are told to be. No further
    than to the one that was refused once too often.

    Money that somebody expected to go days ago, and has planned without since, does not leave several times at once.
    Nobody was late with a day that was not tried yet and whose turn came after the next one's nine o'clock, unless the
    one after that has come, too: its member moved across a date.
    """
    while (
        order.refused_in_a_row < REFUSED_MAX
        and (later := _next_day(order))
        and (nine := calendar.moment(later, order.member.zone)) <= now
    ):
        run = StandingRun.objects.filter(order=order, due_on=day).first()
        if run is None and turn >= nine and not _come(order, following(order, later), now):
            break
        if run and run.state == Fate.WAITING:
            # Refused, and the hour of its second try went by unused.
            _give_up(order, run, now)
            change(order, next_on=later, runs_done=order.runs_done + 1, refused_in_a_row=order.refused_in_a_row + 1)
        elif run:
            change(order, next_on=later)
        else:
            run = StandingRun.objects.create(public_id=uuid7(now), order=order, due_on=day, state=Fate.MISSED, at=now)
            change(order, next_on=later, runs_done=order.runs_done + 1)
            _tell(order, MISSED, run.source, day=day)
        day = later
    return day


def _come(order: StandingOrder, day: date | None, now: datetime) -> bool:
    """Whether it is nine o'clock of that day, or later."""
    return day is not None and calendar.moment(day, order.member.zone) <= now


def _next_day(order: StandingOrder) -> date | None:
    """The due day after the present one, if the present one is not the last."""
    if order.next_on is None or (order.count is not None and order.runs_done + 1 >= order.count):
        return None
    return following(order, order.next_on)


def _try(order: StandingOrder, run: StandingRun) -> DomainError | None:
    """Send it. What is refused goes back to here, and this day's row says why."""
    run.tries += 1
    try:
        run.transfer = transfers.move(
            sender=order.member,
            payee=order.payee,
            amount=order.amount,
            reference=f"standing {order.public_id} {run.due_on} {run.tries}",
            by=SYSTEM,
            note=order.note,
            occasion=run.source,
        )
    except DomainError as refusal:
        run.refusal = plain(refusal)
        return refusal
    run.state, run.refusal = Fate.PAID, None
    run.save(update_fields=["state", "tries", "transfer", "refusal"])
    return None


def _end(run: StandingRun, state: Fate, now: datetime) -> None:
    run.state, run.at = state, now
    run.save(update_fields=["state", "tries", "refusal", "at"])


def _give_up(order: StandingOrder, run: StandingRun, now: datetime) -> None:
    _end(run, Fate.REFUSED, now)
    _tell(order, GIVEN_UP, run.source, why=run.refusal, day=run.due_on)


def _is_today(order: StandingOrder, moment: datetime, now: datetime) -> bool:
    zone = order.member.time_zone
    return clock.day_of(moment, zone) == clock.day_of(now, zone)


def _go_on(order: StandingOrder, *, refused_in_a_row: int) -> None:
    """To the next due day, to a pause after too many refusals, or to the end."""
    day = _next_day(order)
    fields = {"runs_done": order.runs_done + 1, "refused_in_a_row": refused_in_a_row}
    if day is None:
        _stop(order, State.ENDED, **fields)
    elif refused_in_a_row >= REFUSED_MAX:
        _pause(order, **fields)
    else:
        change(order, next_on=day, next_at=calendar.moment(day, order.member.zone), **fields)


def _pass_over(order: StandingOrder, day: date) -> None:
    """To the due day after ``day``, which has been counted, or to the end."""
    over = order.count is not None and order.runs_done >= order.count
    later = None if over else following(order, day)
    if later is None:
        _stop(order, State.ENDED)
    else:
        change(order, next_on=later, next_at=calendar.moment(later, order.member.zone))


def _pause(order: StandingOrder, **fields: int) -> None:
    paused_after = order.next_on
    _stop(order, State.PAUSED, paused_by=str(SYSTEM), **fields)
    subject = f"standing_order:{order.public_id}:{paused_after}"
    _tell(order, PAUSED, subject, times=order.refused_in_a_row)


def _stop(order: StandingOrder, state: State, **fields: int | str) -> None:
    change(order, state=state, next_on=None, next_at=None, **fields)
    audit.record(by=SYSTEM, act=f"standing_order.{state}", subject=order, before=State.ACTIVE, after=state)


def _tell(order: StandingOrder, kind: notices.Kind, subject: str, **facts: object) -> None:
    notices.tell(
        member=order.member,
        kind=kind,
        subject=subject,
        amount=order.amount,
        whom=transfers.called(order.payee),
        **facts,
    )
