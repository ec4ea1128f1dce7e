"""The payment PIN: set, asked for, cleared. Recovery by a code is in ``pin_recovery``."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, QuerySet, SmallIntegerField, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members import weak_pins
from members.models import Member, Pin
from members.models.pins import LABEL, LOCKS, TRIES
from members.services import members, notices
from paymentsite.core import clock, vault
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act, attempt
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Forbidden, Invalid, Refused, as_moment
from paymentsite.core.services import approvals, audit
from paymentsite.core.vault import Envelope, Secret

T = TypeVar("T")

LOCKED: Final = timedelta(minutes=30)

CHANGED: Final = notices.kind("pin_changed", gettext_noop("Your payment PIN was set anew. If it was not you, tell us."))
CLEARED: Final = notices.kind("pin_cleared", gettext_noop("Your payment PIN was cleared. Set a new one."))


class PinMissing(Refused):
    code = "pin_missing"
    sentence = gettext_noop("Confirm this with your payment PIN; if you have none yet, set one first.")


class WrongPin(Forbidden):
    code = "pin_wrong"
    sentence = gettext_noop("That is not your payment PIN. Tries left: {left}.")


class PinLocked(Forbidden, until=as_moment):
    code = "pin_locked"
    sentence = gettext_noop("Your payment PIN is locked until {until}.")


class PinExhausted(Forbidden):
    code = "pin_exhausted"
    sentence = gettext_noop("Your payment PIN was guessed at too often. Recover it by e-mail.")


class InvalidPin(Invalid):
    code = "pin_invalid"
    sentence = gettext_noop("A payment PIN has six digits.")


class WeakPin(Invalid):
    code = "pin_weak"
    sentence = gettext_noop(
        "That PIN is too easy to guess: no repetitions, runs, dates of birth, ends of your phone number, common ones."
    )


class PinChanged(Conflict):
    code = "pin_changed_meanwhile"
    sentence = gettext_noop("Your payment PIN was changed meanwhile.")


def check(*, member: Member, pin: Secret | None) -> None:
    """Return when ``pin`` is the member's, and forget the wrong tries before it; raise otherwise.

    A guess is paid for before it is looked at, in a transaction of its own that stands whatever comes after: however
    many are made at once, no more than ``TRIES`` are looked at. So this is called before an act, never inside.
    The fifth wrong guess locks for half an hour, the next five for an hour; after five more only recovery helps.
    """
    if pin is None:
        raise PinMissing
    now = clock.now()
    held = _durably(lambda: _charge(member, now))
    verdict = vault.verify_pin(pin, held.hashed, label=LABEL, bound_to=(member.pk,))
    if not verdict:
        raise WrongPin(left=TRIES - held.tries)
    anew: dict[str, Any] = {"hashed": hashed(member, pin)} if verdict.outdated else {}
    if not _durably(lambda: _of(member).filter(version=held.version).update(**UNTRIED, **anew)):
        raise PinChanged


def is_set(member: Member) -> bool:
    """Whether the member has a PIN."""
    return _of(member).filter(hashed__isnull=False).exists()


def set_pin(*, member: Member, pin: Secret, by: Actor, current: Secret | None = None) -> None:
    """The member's PIN is ``pin`` from now on. Who has one already gives the ``current`` one, which counts as a try.

    The first one takes nothing but the sign-in: whoever calls this has had the person sign in again just before.
    """
    check_strength(member, pin)
    version = _version(member)
    if is_set(member):
        check(member=member, pin=current)
    store(member=member, made=hashed(member, pin), version=version, by=by, how="member.pin_set")


@approvals.required(
    "members.clear_pin",
    right="members.approve_clear_pin",
    concerns=("member",),
    title=_("Clear a payment PIN, for its member to set a new one"),
    lines={"member": Line(_("member"))},
)
def clear_pin(*, member: Member, by: Actor, reason: str) -> Effect:
    """The member has no PIN any more, and sets a new one: for somebody who can neither remember nor recover it."""
    locked = Member.objects.lock(member.pk)
    if (
        not _of(locked)
        .filter(hashed__isnull=False)
        .update(**UNTRIED, hashed=None, set_at=None, version=F("version") + 1)
    ):
        raise PinMissing
    audit.record(by=by, act="member.pin_cleared", subject=locked, reason=reason)
    notices.tell(member=locked, kind=CLEARED, subject=f"pin:{_version(locked)}")
    return {"member": locked}


def check_strength(member: Member, pin: Secret) -> None:
    """Raise unless ``pin`` has six digits that somebody who knows the member would not try first."""
    digits = pin.reveal()
    if not (len(digits) == weak_pins.DIGITS and digits.isascii() and digits.isdecimal()):
        raise InvalidPin
    told = Member.objects.get(pk=member.pk)
    birthday = date.fromisoformat(told.birthday.decrypt().reveal()) if told.birthday else None
    if weak_pins.is_weak(digits, birthday=birthday, phone=told.phone.decrypt().reveal() if told.phone else ""):
        raise WeakPin


def hashed(member: Member, pin: Secret) -> Envelope:
    """What may be stored of ``pin``. Slow on purpose, so never under a lock."""
    return vault.hash_pin(pin, label=LABEL, bound_to=(member.pk,))


@act
def store(*, member: Member, made: Envelope, version: int, by: Actor, how: str) -> None:
    """What ``hashed`` made is the member's PIN, if none was set since ``version``."""
    member = Member.objects.lock(member.pk)
    members.check_active(member)
    Pin.objects.get_or_create(member=member)
    now = clock.now()
    fresh = {"hashed": made, "set_at": now, "version": version + 1}
    if not _of(member).filter(version=version).update(**UNTRIED, **fresh):
        raise PinChanged
    audit.record(by=by, act=how, subject=member)
    notices.tell(member=member, kind=CHANGED, subject=f"pin:{version + 1}")


UNTRIED: Final[dict[str, Any]] = {"tries": 0, "locks": 0, "locked_until": None}


class _Held(NamedTuple):
    hashed: Envelope | None
    version: int
    tries: int
    locks: int
    locked_until: datetime | None


class _Charged(NamedTuple):
    hashed: Envelope
    version: int
    tries: int


def _charge(member: Member, now: datetime) -> _Charged:
    """Pay for one guess. The one statement that everything else depends on: it counts, and it locks."""
    paid = _of(member).filter(_guessable(now)).update(**_one_more(now))
    row: Any = _of(member).values_list("hashed", "version", "tries", "locks", "locked_until").first()
    held = _Held(*row) if row else None
    if held is None or held.hashed is None:
        raise PinMissing
    if not paid and held.locks >= LOCKS:
        raise PinExhausted
    if not paid:
        raise PinLocked(until=held.locked_until)
    return _Charged(held.hashed, held.version, held.tries)


def _guessable(now: datetime) -> Q:
    # The lock's end is not looked at after the last lock: that one ends by recovery alone.
    unlocked = Q(locked_until=None) | Q(locked_until__lte=now, locks__lt=LOCKS)
    return Q(hashed__isnull=False) & unlocked


def _one_more(now: datetime) -> dict[str, Any]:
    """The columns after one more guess: the first after a lock begins to count again, the last before one locks."""
    last = Q(locked_until=None, tries=TRIES - 1)
    ends = [When(last & Q(locks=locks), then=Value(now + LOCKED * 2**locks)) for locks in range(LOCKS)]
    number = SmallIntegerField()
    return {
        "tries": Case(When(locked_until=None, then=F("tries") + 1), default=1, output_field=number),
        "locks": Case(When(last, then=F("locks") + 1), default=F("locks"), output_field=number),
        "locked_until": Case(*ends, default=None, output_field=DateTimeField()),
    }


def _version(member: Member) -> int:
    return _of(member).values_list("version", flat=True).first() or 0


def _of(member: Member) -> QuerySet[Pin]:
    return Pin.objects.filter(pk=member.pk)


def _durably(work: Callable[[], T]) -> T:
    """Do ``work`` in a transaction that is over, and stands, when this returns; a mistake inside another one."""
    return attempt(work, within=partial(transaction.atomic, durable=True))
