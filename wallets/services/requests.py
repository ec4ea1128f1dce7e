"""Requests to pay: one member asks another for money, who pays, declines, or lets it run out."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members, notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid, Missing, Refused
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from paymentsite.core.waiting import First
from wallets.models import MoneyRequest, RequestBlock, Transfer
from wallets.services import due, transfers
from wallets.services.confirming import check_pin
from wallets.services.wording import check_same, checked_amount, checked_note, checked_reference, id_for

State = MoneyRequest.State
OPEN_FOR: Final = timedelta(days=7)
OPEN_MAX: Final = 20
OPEN_MAX_OF_ONE: Final = 3
STUCK: Final = "request_stuck"

ASKED = notices.kind("money_asked", gettext_noop("{whom} asks you for {amount}."))
PAID = notices.kind("request_paid", gettext_noop("{whom} paid the {amount} that you asked for."))
DECLINED = notices.kind("request_declined", gettext_noop("{whom} declined to pay the {amount} that you asked for."))
OVER = notices.kind("request_over", gettext_noop("Your request to {whom} for {amount} is over, and was not paid."))
EXPIRED = notices.kind("request_expired", gettext_noop("Nobody paid the {amount} that you asked {whom} for."))


class AskingOneself(Invalid):
    code = "request_to_oneself"
    sentence = gettext_noop("One cannot ask oneself for money.")


class CannotBeAsked(Refused):
    """Said alike of nobody, of a closed membership, and of who wants no requests."""

    code = "payer_cannot_be_asked"
    sentence = gettext_noop("That member cannot be asked.")


class TooManyRequests(Refused):
    code = "too_many_requests"
    sentence = gettext_noop("{open} requests of yours are open already. Ask again when some are paid or withdrawn.")


class RequestNotOpen(Refused, state=State):
    code = "request_not_open"
    sentence = gettext_noop("This request is not open any more: {state}.")


class NoSuchRequest(Missing):
    code = "no_such_request"
    sentence = gettext_noop("There is no such request.")


@act
def ask(
    *, asker: Member, payer: Member | None, amount: Money, reference: str, by: Actor, note: str = ""
) -> MoneyRequest:
    """The payer is asked for ``amount``, for seven days. Repeating a reference returns the first request.

    Refused while too many of the asker's are open, in all or to this payer, so that nobody is pestered.
    """
    note, reference = checked_note(note), checked_reference(reference)
    checked_amount(amount)
    if payer == asker:
        raise AskingOneself
    locked = Member.objects.lock_all([asker.pk, *([payer.pk] if payer else [])])
    if first := MoneyRequest.objects.filter(asker=asker, reference=reference).first():
        asked = {"payer_id": payer.pk if payer else None, "amount": amount, "note": note}
        check_same(first, asked, reference=reference)
        return first

    members.check_active(locked[asker.pk])
    # The asker's own side first: it says the same whoever is asked, and whether there is anybody.
    waiting = MoneyRequest.objects.open().filter(asker=asker, expires_at__gt=clock.now())
    _check_fewer(waiting, OPEN_MAX)
    if payer is None or not _may_be_asked(locked[payer.pk], asker):
        raise CannotBeAsked
    _check_fewer(waiting.filter(payer=payer), OPEN_MAX_OF_ONE)
    now = clock.now()
    request = MoneyRequest.objects.create(
        public_id=id_for(asker, "request", reference),
        asker=asker,
        payer=payer,
        currency=amount.unit,
        amount_minor=amount.minor,
        note=note,
        reference=reference,
        asked_at=now,
        expires_at=now + OPEN_FOR,
    )
    told = {"amount": amount, "asker": asker.pk, "payer": payer.pk}
    audit.record(by=by, act="request.asked", subject=request, after=told)
    _tell(payer, ASKED, request, asker)
    return request


def _may_be_asked(payer: Member, asker: Member) -> bool:
    blocked = RequestBlock.objects.filter(member=payer, blocked=asker).exists()
    return payer.state == Member.State.ACTIVE and not blocked


def _check_fewer(waiting: QuerySet[MoneyRequest], most: int) -> None:
    if (count := waiting.count()) >= most:
        raise TooManyRequests(open=count)


def pay(
    *,
    request: MoneyRequest,
    payer: Member,
    reference: str,
    by: Actor,
    pin: Secret | None = None,
    fee: Money | None = None,
) -> Transfer:
    """The request is paid, by one transfer whoever else pays it at the same time, for the ``fee`` that was shown.

    Each try takes a reference of its own, as with ``transfers.send``; repeated, it returns the transfer.
    """
    _check_asked(request, payer)
    if not Transfer.objects.filter(sender=payer, reference=reference).exists():
        check_pin(payer, request.amount, pin)
    return _pay(request=request, payer=payer, reference=reference, by=by, confirmed=pin is not None, fee=fee)


@act
def _pay(
    *, request: MoneyRequest, payer: Member, reference: str, by: Actor, confirmed: bool, fee: Money | None
) -> Transfer:
    Member.objects.lock_all([payer.pk, request.asker_id])
    request = MoneyRequest.objects.select_related("asker", "transfer").get(pk=request.pk)
    if request.transfer and request.transfer.reference == reference:
        return request.transfer
    _check_open(request)

    transfer = transfers.move(
        sender=payer,
        payee=request.asker,
        amount=request.amount,
        reference=reference,
        by=by,
        note=request.note,
        occasion=request.source,
        confirmed=confirmed,
        fee=fee,
    )
    _end(request, State.PAID, transfer=transfer)
    _tell(request.asker, PAID, request, payer)
    return transfer


@act
def decline(*, request: MoneyRequest, payer: Member, by: Actor) -> MoneyRequest:
    """The payer will not pay it. Declined again, it stays so."""
    _check_asked(request, payer)
    request, ended = _over(request, State.DECLINED, by=by)
    if ended:
        _tell(request.asker, DECLINED, request, payer)
    return request


@act
def cancel(*, request: MoneyRequest, by: Actor, asker: Member | None = None, reason: str = "") -> MoneyRequest:
    """The request is withdrawn, by its asker or, where none is named, by staff who are none of the two it is between.

    Withdrawn again, it stays so.
    """
    if asker is None:
        check_not_own(by, request.asker_id, request.payer_id)
    elif request.asker_id != asker.pk:
        raise NoSuchRequest
    request, ended = _over(request, State.CANCELLED, by=by, reason=reason)
    if ended and by.person != f"user:{request.asker_id}" and request.asker.state != Member.State.CLOSED:
        _tell(request.asker, OVER, request, request.payer)
    return request


def expire(*, now: datetime) -> int:
    """Requests whose time is over are expired; how many were. Twice, late or at once does it once."""
    rows = MoneyRequest.objects.open().filter(expires_at__lte=now).order_by("expires_at", "pk")
    return due.each(rows, lambda request: _expire(request=request, now=now), stuck=STUCK)


@act
def _expire(*, request: MoneyRequest, now: datetime) -> bool:
    Member.objects.lock_all([request.asker_id, request.payer_id])
    ended = MoneyRequest.objects.open().filter(pk=request.pk).update(state=State.EXPIRED, ended_at=now)
    if ended:
        _tell(request.asker, EXPIRED, request, request.payer)
    return ended == 1


# The next moment at which an open request runs out.
next_expiry: Final = First("expires_at", MoneyRequest.objects.open)


@act
def block(*, member: Member, other: Member, by: Actor) -> None:
    """The member is asked nothing more by the other; what is open stays. Blocked again, nothing changes."""
    if member == other:
        raise AskingOneself
    Member.objects.lock(member.pk)
    found, made = RequestBlock.objects.get_or_create(member=member, blocked=other, defaults={"at": clock.now()})
    if made:
        audit.record(by=by, act="requests.blocked", subject=member, after={"blocked": found.blocked_id})


@act
def unblock(*, member: Member, other: Member, by: Actor) -> None:
    """The other may ask the member again."""
    Member.objects.lock(member.pk)
    gone, _rows = RequestBlock.objects.filter(member=member, blocked=other).delete()
    if gone:
        audit.record(by=by, act="requests.unblocked", subject=member, after={"unblocked": other.pk})


def of(*, member: Member, public_id: UUID) -> MoneyRequest:
    """The request, if the member asks or is asked; raises ``NoSuchRequest``."""
    found = MoneyRequest.objects.select_related("asker", "payer").filter(public_id=public_id).first()
    if found is None or member.pk not in {found.asker_id, found.payer_id}:
        raise NoSuchRequest
    return found


def _check_asked(request: MoneyRequest, payer: Member) -> None:
    if request.payer_id != payer.pk:
        raise NoSuchRequest


def _check_open(request: MoneyRequest) -> None:
    if request.state != State.OPEN:
        raise RequestNotOpen(state=request.state)
    if request.expires_at <= clock.now():
        raise RequestNotOpen(state=State.EXPIRED)


def _over(request: MoneyRequest, state: State, *, by: Actor, reason: str = "") -> tuple[MoneyRequest, bool]:
    """End it unpaid; the row as it is then, and whether this ended it."""
    Member.objects.lock_all([request.asker_id, request.payer_id])
    request = MoneyRequest.objects.select_related("asker", "payer").get(pk=request.pk)
    if request.state == state:
        return request, False
    _check_open(request)
    _end(request, state)
    audit.record(by=by, act=f"request.{state}", subject=request, before=State.OPEN, after=state, reason=reason)
    return request, True


def _end(request: MoneyRequest, state: State, transfer: Transfer | None = None) -> None:
    now = clock.now()
    if not MoneyRequest.objects.open().filter(pk=request.pk).update(state=state, ended_at=now, transfer=transfer):
        request.refresh_from_db(fields=["state"])
        raise RequestNotOpen(state=request.state)
    request.state, request.ended_at, request.transfer = state, now, transfer


def _tell(member: Member, kind: notices.Kind, request: MoneyRequest, other: Member) -> None:
    whom = transfers.called(other)
    notices.tell(member=member, kind=kind, subject=request.source, amount=request.amount, whom=whom)
