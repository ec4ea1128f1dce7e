"""A forgotten payment PIN: a code goes to the confirmed e-mail address, and with it a new PIN can be set.

Whoever calls these has had the person sign in again just before. Nothing here tells whether there is a PIN.
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from allauth.account.models import EmailAddress
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from members.models import Member, Pin, PinRecovery
from members.models.pins import CODE_TRIES
from members.services import members, pins
from paymentsite.core import clock, vault
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act, attempt
from paymentsite.core.errors import Forbidden, Refused
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret

LIVES: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(minutes=1)
DAILY: Final = 5
DIGITS: Final = 8
_LABEL: Final = "member.pin_recovery"


class NoConfirmedAddress(Refused):
    code = "pin_recovery_needs_address"
    sentence = gettext_noop("There is no confirmed e-mail address to send a code to.")


class RecoveryTooOften(Refused):
    code = "pin_recovery_too_often"
    sentence = gettext_noop("A code was sent a moment ago, or too many today. Try again later.")


class RecoveryRefused(Forbidden):
    """One refusal for a wrong code, an old one, a used one and none: which of them it is helps only to guess."""

    code = "pin_recovery_refused"
    sentence = gettext_noop("That code is wrong or no longer valid. Ask for a new one.")


def request_recovery(*, member: Member, by: Actor) -> None:
    """A code is on its way to the member's confirmed address. Codes sent before are void."""
    code = Secret(f"{secrets.randbelow(10**DIGITS):0{DIGITS}}")
    address = _issue(member, code, by)
    with translation.override(member.language):
        send_mail(
            gettext("Your code for a new payment PIN"),
            gettext(
                "Your code is %(code)s. It is good for %(minutes)d minutes. Tell it to nobody; we never ask for it.\n\n"
                "If you did not want a new payment PIN, somebody is using your account: change your password now."
            )
            % {"code": code.reveal(), "minutes": LIVES // timedelta(minutes=1)},
            None,
            [address],
        )


def recover(*, member: Member, code: Secret, pin: Secret, by: Actor) -> None:
    """The member's PIN is ``pin``, all locks are off, and the code is used up; a wrong code costs one of its tries."""
    pins.check_strength(member, pin)
    made = pins.hashed(member, pin)
    now = clock.now()
    held = attempt(lambda: _charge(member, now), within=partial(transaction.atomic, durable=True))
    if held is None or held.digest not in vault.digests(_bound(member, code), label=_LABEL):
        raise RecoveryRefused
    _recovered(member, held, by=by, made=made)


@act
def _recovered(member: Member, held: PinRecovery, *, by: Actor, made: vault.Envelope) -> None:
    if not PinRecovery.objects.filter(pk=held.pk, used_at=None).update(used_at=clock.now()):
        raise RecoveryRefused
    version = Pin.objects.filter(pk=member.pk).values_list("version", flat=True).first() or 0
    pins.store(member=member, made=made, version=version, by=by, how="member.pin_recovered")


@act
def _issue(member: Member, code: Secret, by: Actor) -> str:
    member = Member.objects.lock(member.pk)
    members.check_active(member)
    confirmed = EmailAddress.objects.filter(user=member.pk, verified=True).order_by("-primary", "pk")
    address: str | None = confirmed.values_list("email", flat=True).first()
    if address is None:
        raise NoConfirmedAddress

    now = clock.now()
    today = _of(member).filter(sent_at__gt=now - timedelta(days=1))
    if today.count() >= DAILY or today.filter(sent_at__gt=now - PAUSE).exists():
        raise RecoveryTooOften
    digest = vault.digest(_bound(member, code), label=_LABEL)
    PinRecovery.objects.create(member=member, digest=digest, sent_at=now, expires_at=now + LIVES)
    audit.record(by=by, act="member.pin_recovery_requested", subject=member)
    return address


def _charge(member: Member, now: datetime) -> PinRecovery | None:
    """The newest code with one more try paid for; None when it has none left, is used up, or too old."""
    newest = _of(member).first()
    if newest is None:
        return None
    good = PinRecovery.objects.filter(pk=newest.pk, used_at=None, expires_at__gt=now, tries__lt=CODE_TRIES)
    return newest if good.update(tries=F("tries") + 1) else None


def _of(member: Member) -> QuerySet[PinRecovery]:
    return PinRecovery.objects.filter(member=member).order_by("-pk")


def _bound(member: Member, code: Secret) -> Secret:
    return Secret(f"{member.pk} {code.reveal()}")
