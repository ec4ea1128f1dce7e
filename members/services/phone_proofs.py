"""Whose a phone number is: a code goes to it as a text message, and who tells the code has the number.

The newest proof counts, since numbers change hands: whoever proved it before has it no more, and is told so. Nothing
here tells a member whether the number is, or was, somebody else's.
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Max, QuerySet
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from members.models import Member, PhoneProof
from members.models.phone_proofs import CODE_TRIES
from members.services import members, notices
from paymentsite.core import clock, text_messages, vault
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act, attempt
from paymentsite.core.errors import Forbidden, Refused, Unavailable
from paymentsite.core.services import audit
from paymentsite.core.text_messages import NotSent, TextMessages
from paymentsite.core.vault import Secret

log = structlog.get_logger(__name__)

LIVES: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
# Messages cost money and pester: so many for a member, and so many to a number whoever asks.
DAILY: Final = 5
DAILY_TO_NUMBER: Final = 10
DIGITS: Final = 8
_LABEL: Final = "member.phone_proof"

PROVEN: Final = notices.kind(
    "phone_proven",
    gettext_noop("You proved your phone number: money sent to it reaches you. If it was not you, tell us."),
)
LOST: Final = notices.kind(
    "phone_lost",
    gettext_noop(
        "Somebody else proved that your phone number is theirs now: money sent to it reaches you no more. "
        "If it is still yours, prove it again."
    ),
)


class TextMessagesMissing(Refused):
    code = "text_messages_missing"
    sentence = gettext_noop("Text messages are not set up here, so phone numbers cannot be proven.")


class PhoneMissing(Refused):
    code = "phone_missing"
    sentence = gettext_noop("There is no phone number in your profile.")


class PhoneProvenAlready(Refused):
    code = "phone_proven_already"
    sentence = gettext_noop("Your phone number is proven already.")


class ProofTooOften(Refused):
    code = "phone_proof_too_often"
    sentence = gettext_noop("A code was sent a moment ago, or too many today. Try again later.")


class CodeNotSent(Unavailable):
    code = "phone_code_not_sent"
    sentence = gettext_noop("The text message could not be sent. Ask for another code in a while.")


class ProofRefused(Forbidden):
    """One refusal for a wrong code, an old one, a used one, one for another number and none."""

    code = "phone_proof_refused"
    sentence = gettext_noop("That code is wrong or no longer valid. Ask for a new one.")


def request_code(*, member: Member, by: Actor, through: TextMessages | None = None) -> None:
    """A code is on its way to the number in the member's profile, unless that had too many today, which is not said.

    Codes sent before are void. ``through`` is who sends it, the site's own unless given. Never inside an act: what was
    sent is not taken back with it.
    """
    sending = through or text_messages.backend()
    if sending is None:
        raise TextMessagesMissing
    code = Secret(f"{secrets.randbelow(10**DIGITS):0{DIGITS}}")
    number = _durably(partial(_issue, member, code, by))
    if number is None:
        log.warning("text_message_withheld", member=member.pk)
        return
    with translation.override(member.language):
        text = gettext(
            "Your code is %(code)s, to prove your phone number. It is good for %(minutes)d minutes. Tell it to nobody."
        ) % {"code": code.reveal(), "minutes": LIVES // timedelta(minutes=1)}
    try:
        sending.send(to=number, text=Secret(text))
    except NotSent as error:
        log.warning("text_message_not_sent", member=member.pk, why=str(error))
        raise CodeNotSent from error


def prove(*, member: Member, code: Secret, by: Actor) -> Member:
    """The number in the member's profile is theirs, and nobody else's any more; a wrong code costs one of its tries."""
    now = clock.now()
    held = _durably(lambda: _charge(member, now))
    if held is None:
        raise ProofRefused
    return _prove(member, held, code, by)


@act
def _prove(member: Member, held: PhoneProof, code: Secret, by: Actor) -> Member:
    number = held.number.decrypt()
    before = Member.objects.proven(number).exclude(pk=member.pk)
    locked = Member.objects.lock_all([member.pk, *before.values_list("pk", flat=True)])
    member = locked.pop(member.pk)
    members.check_active(member)
    now = clock.now()
    if not _opens(held, member, code) or not _of(member).filter(pk=held.pk, used_at=None).update(used_at=now):
        raise ProofRefused

    for former in locked.values():
        _lose(former, number, to=member)
    member.phone_proven_at = now
    try:
        with transaction.atomic():
            # The digest is made anew: under two keys of a rotation one number would be two to the constraint.
            member.save(update_fields=["phone", "phone_digest", "phone_proven_at"])
    except IntegrityError as error:
        # Somebody proved it in between. Begun again, this finds who.
        error.begin_again = True  # type: ignore[attr-defined]
        raise
    audit.record(by=by, act="member.phone_proven", subject=member)
    notices.tell(member=member, kind=PROVEN, subject=f"phone_proof:{held.pk}")
    return member


def _lose(former: Member, number: Secret, *, to: Member) -> None:
    since = former.phone_proven_at
    if since is None or not Member.objects.proven(number).filter(pk=former.pk).update(phone_proven_at=None):
        return
    # Not in the name of who proved it: the acts of members are told to them.
    audit.record(by=SYSTEM, act="member.phone_lost", subject=former, after={"proven_by": to})
    notices.tell(member=former, kind=LOST, subject=f"phone:{since.isoformat()}")


@act
def _issue(member: Member, code: Secret, by: Actor) -> Secret | None:
    """The number to send ``code`` to; None when it had too many messages today."""
    member = Member.objects.lock(member.pk)
    members.check_active(member)
    if member.phone is None:
        raise PhoneMissing
    if member.phone_proven_at is not None:
        raise PhoneProvenAlready
    now = clock.now()
    today = _of(member).filter(sent_at__gt=now - DAY)
    if today.count() >= DAILY or today.filter(sent_at__gt=now - PAUSE).exists():
        raise ProofTooOften

    number: Secret = member.phone.decrypt()
    nth = _next_to(number, now)
    proof = PhoneProof(member=member, number=number, nth=nth, sent_at=now, expires_at=now + LIVES)
    proof.digest = vault.digest(_bound(member, number, code), label=_LABEL)
    try:
        with transaction.atomic():
            proof.save()
    except IntegrityError as error:
        # Somebody asked for a message to the same number in between. Begun again, this counts theirs too.
        error.begin_again = True  # type: ignore[attr-defined]
        raise
    audit.record(by=by, act="member.phone_code_requested", subject=member)
    return number if nth else None


def _next_to(number: Secret, now: datetime) -> int | None:
    """Which message to the number the next one is; None when it had as many in a day as it may.

    The last is read before the others are counted: who is counted out of turn is numbered out of turn, and refused.
    """
    sent = PhoneProof.objects.filter(number_digest=number, nth__isnull=False)
    last: int = sent.aggregate(last=Max("nth"))["last"] or 0
    return last + 1 if sent.filter(sent_at__gt=now - DAY).count() < DAILY_TO_NUMBER else None


def _charge(member: Member, now: datetime) -> PhoneProof | None:
    """The newest code with one more try paid for; None when it has none left, was not sent, is used up or too old."""
    newest = _of(member).first()
    if newest is None:
        return None
    good = _of(member).filter(pk=newest.pk, nth__isnull=False, used_at=None, expires_at__gt=now)
    return newest if good.filter(tries__lt=CODE_TRIES).update(tries=F("tries") + 1) else None


def _opens(held: PhoneProof, member: Member, code: Secret) -> bool:
    """Whether it is the code that was sent to this member for the number that is in their profile now."""
    if member.phone is None:
        return False
    return held.digest in vault.digests(_bound(member, member.phone.decrypt(), code), label=_LABEL)


def _of(member: Member) -> QuerySet[PhoneProof]:
    return PhoneProof.objects.filter(member=member).order_by("-pk")


def _bound(member: Member, number: Secret, code: Secret) -> Secret:
    return Secret(f"{member.pk} {number.reveal()} {code.reveal()}")


_durably = partial(attempt, within=partial(transaction.atomic, durable=True))
