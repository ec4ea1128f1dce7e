"""Gift links: money set aside for whoever comes first with the link."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import limits, members, notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Missing, Refused
from paymentsite.core.ids import microseconds
from paymentsite.core.money import Money
from paymentsite.core.services import audit, open_items
from paymentsite.core.vault import Secret, lookup
from paymentsite.core.waiting import First
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import AccountNotOpen
from wallets.models import Gift
from wallets.models.gifts import TOKEN_LABEL
from wallets.services import due, fees, room, wallets
from wallets.services.confirming import check_pin, count
from wallets.services.gift_words import CAME, CLAIMED, RETURNED
from wallets.services.transfers import called, check_covered
from wallets.services.wording import check_same, checked_amount, checked_note, checked_reference, id_for

State = Gift.State
SCOPE: Final = "wallets.gift"
OPEN_FOR: Final = timedelta(days=7)
SUSPENDED: Final = "gift_in_suspense"
STUCK: Final = "gift_stuck"
_TOKEN_BYTES: Final = 16


class NoSuchGift(Missing):
    code = "no_such_gift"
    sentence = gettext_noop("There is no such gift.")


class GiftNotOpen(Refused, state=State):
    code = "gift_not_open"
    sentence = gettext_noop("This gift is not there any more: {state}.")


class GiftNotToBeTaken(Refused):
    code = "gift_not_to_be_taken"
    sentence = gettext_noop("This gift cannot be taken at the moment. Ask who gave it.")


class GiftToOneself(Refused):
    code = "gift_to_oneself"
    sentence = gettext_noop("This is your own gift. To have it back, cancel it.")


@dataclass(frozen=True, slots=True)
class Made:
    """``token`` is what the link holds; it is told once, and kept nowhere. A repetition has none."""

    gift: Gift
    token: Secret | None


def make(
    *,
    sender: Member,
    amount: Money,
    reference: str,
    by: Actor,
    note: str = "",
    pin: Secret | None = None,
    fee: Money | None = None,
) -> Made:
    """``amount`` and the ``fee`` that they were shown are held on the sender's wallet, for seven days, for whoever
    brings the token.

    Repeating a reference returns the first gift, without its token: when that was lost, cancel it and make another.
    What was refused may be asked again.
    """
    checked_amount(amount)
    known = Gift.objects.filter(sender=sender, reference=reference).exists()
    if not known:
        check_pin(sender, amount, pin)
    return _make(
        sender=sender, amount=amount, reference=reference, by=by, note=note, confirmed=pin is not None, fee=fee
    )


@act
def _make(
    *, sender: Member, amount: Money, reference: str, by: Actor, note: str, confirmed: bool, fee: Money | None
) -> Made:
    note, reference = checked_note(note), checked_reference(reference)
    sender = Member.objects.lock(sender.pk)
    if first := Gift.objects.filter(sender=sender, reference=reference).first():
        check_same(first, {"amount": amount, "note": note}, reference=reference)
        return Made(first, None)

    members.check_active(sender)
    purse = wallets.of(member=sender, currency=amount.unit)
    wallets.check_open(purse)
    now = clock.now()
    quote = fees.agreed(fees.quote(member=sender, kind=fees.Kind.TRANSFER, amount=amount, now=now), fee)
    token = Secret(secrets.token_urlsafe(_TOKEN_BYTES))
    gift = Gift(
        public_id=id_for(sender, "gift", reference),
        sender=sender,
        currency=amount.unit,
        amount_minor=amount.minor,
        fee_minor=quote.fee.minor,
        note=note,
        reference=reference,
        token_digest=lookup.digest(token, label=TOKEN_LABEL),
        made_at=now,
        expires_at=now + OPEN_FOR,
    )
    limits.take(member=sender, kind=limits.Kind.TRANSFER, amount=amount, source=gift.source, now=now)
    count(sender, amount, confirmed=confirmed, now=now)
    quote = fees.take(quote=quote, source=gift.source, now=now)
    check_covered(purse, quote.total)
    [gift.hold_id] = ledger.post(
        # It does not expire by itself: the gift's own end gives it back, so that both always agree.
        ledger.Place(quote.total, purse.account),
        kind="gift",
        scope=SCOPE,
        # That it is made once is the gift's own affair, so that what was refused may be tried again.
        reference=f"{gift.public_id}:{microseconds(now)}",
        source=gift.source,
        by=by,
    ).holds
    gift.save(force_insert=True)
    # The digest says nothing of the token, and keeps another one from taking its place unseen.
    told = {"amount": amount, "fee": quote.fee, "sender": sender.pk, "link": gift.token_digest}
    audit.record(by=by, act="gift.made", subject=gift, after=told)
    return Made(gift, token)


def look(token: Secret) -> Gift:
    """The gift that the link is for, whatever became of it; raises ``NoSuchGift``."""
    found = Gift.objects.select_related("sender").called(token).first()
    if found is None:
        raise NoSuchGift
    return found


@act
def claim(*, token: Secret, member: Member, by: Actor) -> Gift:
    """The gift is in the member's wallet. One member gets it, whoever else comes at the same time; again, it stays so.

    That the sender was suspended or their wallet frozen meanwhile does not matter: it was given before.
    """
    gift = look(token)
    locked = Member.objects.lock_all([gift.sender_id, member.pk])
    gift = _read(gift)
    if gift.claimed_by_id == member.pk:
        return gift
    if gift.sender_id == member.pk:
        raise GiftToOneself
    members.check_active(locked[member.pk])
    now = clock.now()
    _check_open(gift, now)

    purse = wallets.open(member=locked[member.pk], currency=gift.currency, by=SYSTEM)
    room.check(member=locked[member.pk], wallet=purse, amount=gift.amount)
    parts = [ledger.Capture(gift.amount, gift.hold, purse.account, final=not gift.fee_minor)]
    if gift.fee_minor:
        parts.append(ledger.Capture(gift.fee, gift.hold, ledger.house("fees", gift.currency), final=True))
    try:
        journal_id = ledger.post(
            *parts,
            kind="gift",
            scope="wallets.gift_claim",
            # That it happens once is the hold's and the gift's affair: a claim that was refused may be tried again.
            reference=f"{gift.public_id}:{member.pk}:{microseconds(now)}",
            source=gift.source,
            by=by,
        ).journal_id
    except AccountNotOpen as refusal:
        # What became of the sender's account is not for the claimer to hear.
        if refusal.facts.get("account") == purse.account.public_id:
            raise
        raise GiftNotToBeTaken from refusal
    _end(gift, State.CLAIMED, now, claimed_by=locked[member.pk], journal_id=journal_id)
    notices.tell(member=gift.sender, kind=CLAIMED, subject=gift.source, amount=gift.amount, whom=called(member))
    notices.tell(member=member, kind=CAME, subject=gift.source, amount=gift.amount, whom=called(gift.sender))
    return gift


@act
def cancel(*, gift: Gift, sender: Member, by: Actor) -> Gift:
    """The sender has it back whole, and it counts against no limit any more. Cancelled again, it stays so.

    What comes back for a sender who has left stands in suspense, with an open item.
    """
    if gift.sender_id != sender.pk:
        raise NoSuchGift
    return _give_back(gift, State.CANCELLED, by=by, now=clock.now())


@act
def give_back(*, gift: Gift, by: Actor, reason: str = "") -> Gift:
    """The same by staff, though not for themselves: it is returned, and its sender told."""
    check_not_own(by, gift.sender_id)
    return _tell_returned(_give_back(gift, State.RETURNED, by=by, now=clock.now(), reason=reason))


def return_due(*, now: datetime) -> int:
    """Gifts whose time is over are with their senders again; how many were. Twice, late or at once does it once."""
    rows = Gift.objects.due(now).order_by("expires_at", "pk")
    return due.each(rows, lambda gift: _return(gift=gift, now=now), stuck=STUCK)


@act
def _return(*, gift: Gift, now: datetime) -> bool:
    try:
        returned = _give_back(gift, State.RETURNED, by=SYSTEM, now=now)
    except GiftNotOpen:
        return False
    _tell_returned(returned)
    return True


def _tell_returned(gift: Gift) -> Gift:
    if gift.sender.state != Member.State.CLOSED:
        notices.tell(member=gift.sender, kind=RETURNED, subject=gift.source, amount=gift.amount)
    return gift


# The next moment at which an open gift goes back.
next_return: Final = First("expires_at", Gift.objects.open)


def of(*, sender: Member, public_id: UUID) -> Gift:
    """The gift, if the member made it; raises ``NoSuchGift``."""
    found = Gift.objects.select_related("sender").filter(sender=sender, public_id=public_id).first()
    if found is None:
        raise NoSuchGift
    return found


def _give_back(gift: Gift, state: State, *, by: Actor, now: datetime, reason: str = "") -> Gift:
    gone = Member.objects.lock(gift.sender_id).state == Member.State.CLOSED
    gift = _read(gift)
    if gift.state == state:
        return gift
    if gift.state != State.OPEN:
        raise GiftNotOpen(state=gift.state)
    ledger.post(
        _to_suspense(gift) if gone else ledger.Release(gift.hold),
        kind="gift_return",
        scope="wallets.gift_return",
        reference=str(gift.public_id),
        source=gift.source,
        by=by,
    )
    _end(gift, state, now)
    limits.give_back(source=gift.source, now=now)
    fees.give_back(source=gift.source, now=now)
    audit.record(by=by, act=f"gift.{state}", subject=gift, before=State.OPEN, after=state, reason=reason)
    if gone:
        why = f"It came back, and its sender has left: {gift.amount + gift.fee} is in suspense."
        open_items.open(kind=SUSPENDED, subject=gift, why=why, by=SYSTEM)
    return gift


def _to_suspense(gift: Gift) -> ledger.Entry:
    """Nothing is put on a wallet again whose member has left: staff settles it."""
    return ledger.Capture(gift.amount + gift.fee, gift.hold, ledger.house("suspense", gift.currency), final=True)


def _read(gift: Gift) -> Gift:
    return Gift.objects.select_related("sender", "hold__account").get(pk=gift.pk)


def _check_open(gift: Gift, now: datetime) -> None:
    if gift.state != State.OPEN:
        raise GiftNotOpen(state=gift.state)
    if gift.expires_at <= now:
        raise GiftNotOpen(state=State.RETURNED)


def _end(gift: Gift, state: State, now: datetime, **fields: Any) -> None:
    if not Gift.objects.open().filter(pk=gift.pk).update(state=state, ended_at=now, **fields):
        gift.refresh_from_db(fields=["state"])
        raise GiftNotOpen(state=gift.state)
    gift.state, gift.ended_at = state, now
    for name, value in fields.items():
        setattr(gift, name, value)
