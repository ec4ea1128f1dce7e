"""Members: joining, profile, and whether they may act."""

from typing import Any, Final, Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.models import Member, MemberEvent, User
from members.services import moving, profiles
from members.services.profiles import HandleTaken, Profile
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Forbidden, Invalid, Missing, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from paymentsite.core.vault.fields import Encrypted

State = Member.State
Kind = MemberEvent.Kind

# From this level of identity on, the birthday is the one on a document.
VERIFIED: Final = 2
# What identifies the person behind a membership is not written into a trail that nobody can erase.
_PERSONAL: Final = frozenset({"handle", "display_name"})
# What is written with a column, beside it.
_BESIDE: Final = {"phone": ("phone_digest", "phone_proven_at"), "handle": ("handle_kept",)}


class NotAMember(Missing):
    code = "not_a_member"
    sentence = gettext_noop("There is no such member.")


class MemberSuspended(Forbidden):
    code = "member_suspended"
    sentence = gettext_noop(
        "This membership is suspended. Money is kept and comes in, but nothing can be done with it."
    )


class MemberClosed(Forbidden):
    code = "member_closed"
    sentence = gettext_noop("This membership is closed.")


class ReasonMissing(Invalid):
    code = "member_reason_missing"
    sentence = gettext_noop("Say why, in 1 to 255 characters.")


class BirthdayVerified(Refused):
    code = "birthday_verified"
    sentence = gettext_noop("Your birthday was verified and stays as it is.")


@act
def join(*, user: User, **profile: Unpack[Profile]) -> Member:
    """``user`` is a member from now on; one who is already stays as they are."""
    if first := Member.objects.filter(pk=user.pk).first():
        return first
    now = clock.now()
    member = Member(user=user, public_id=uuid7(now), joined_at=now)
    _apply(member, profile)
    try:
        with transaction.atomic():
            _save(member, profile, force_insert=True)
    except IntegrityError as error:
        # Somebody joined them in between. Begun again, this finds who.
        error.begin_again = True  # type: ignore[attr-defined]
        raise
    by = Actor.of(user)
    _tell(member, Kind.JOINED, by=by)
    audit.record(by=by, act="member.joined", subject=member)
    return member


def of(user: User) -> Member:
    """The member that ``user`` signs in as; raises ``NotAMember``."""
    found = Member.objects.filter(pk=user.pk).first()
    if found is None:
        raise NotAMember
    return found


def check_active(member: Member) -> None:
    """Raise unless the member may act. Decide on a row read under lock: a suspension then counts at once."""
    if member.state == State.SUSPENDED:
        raise MemberSuspended
    if member.state == State.CLOSED:
        raise MemberClosed


@act
def edit(*, member: Member, by: Actor, **profile: Unpack[Profile]) -> Member:
    """The member's profile is as given; a handle that is somebody else's is refused.

    A phone number is as typed and proves nothing, so nobody hears whether others have it: see ``phone_proofs``.
    """
    member = Member.objects.lock(member.pk)
    check_active(member)
    if "birthday" in profile and member.kyc_level >= VERIFIED:
        raise BirthdayVerified
    before = {name: _content(member, name) for name in profile}
    _apply(member, profile)
    after = {name: _content(member, name) for name in profile}
    if before.get("phone") != after.get("phone"):
        member.phone_proven_at = None
    _save(member, profile, update_fields=[*profile, *(each for name in profile for each in _BESIDE.get(name, ()))])
    if before.get("time_zone") != after.get("time_zone"):
        moving.followed(member)
    if before != after:
        audit.record(by=by, act="member.edited", subject=member, before=before, after=after)
    return member


@act
def suspend(*, member: Member, by: Actor, reason: str) -> Member:
    """From now on everything the member does is refused; what comes in is kept."""
    check_not_own(by, member.pk)
    return _change(member, State.ACTIVE, State.SUSPENDED, Kind.SUSPENDED, by=by, reason=reason)


@act
def resume(*, member: Member, by: Actor, reason: str) -> Member:
    """A suspended member may act again. Not for them to say."""
    check_not_own(by, member.pk)
    return _change(member, State.SUSPENDED, State.ACTIVE, Kind.RESUMED, by=by, reason=reason)


@act
def close(*, member: Member, by: Actor, reason: str) -> Member:
    """The membership is over, for ever. Whoever keeps value for the member sees to it first that none is left."""
    return _change(member, None, State.CLOSED, Kind.CLOSED, by=by, reason=reason)


def checked_reason(reason: str) -> str:
    """``reason`` as it is kept; raises ``ReasonMissing``."""
    if not 1 <= len(reason := clear(reason).strip()) <= 255:  # noqa: PLR2004  the column's width
        raise ReasonMissing
    return reason


def _change(member: Member, old: State | None, new: State, kind: Kind, *, by: Actor, reason: str) -> Member:
    reason = checked_reason(reason)
    member = Member.objects.lock(member.pk)
    if member.state == new:
        return member
    if member.state == State.CLOSED or (old and member.state != old):
        raise MemberClosed
    before, member.state = member.state, new
    member.save(update_fields=["state"])
    _tell(member, kind, by=by, reason=reason)
    audit.record(by=by, act=f"member.{kind}", subject=member, before=before, after=new, reason=reason)
    return member


def _tell(member: Member, kind: Kind, *, by: Actor, reason: str = "") -> None:
    MemberEvent.objects.create(
        member=member, kind=kind, state=member.state, actor=str(by), reason=reason, at=clock.now()
    )


def _apply(member: Member, profile: Profile) -> None:
    for name, value in profile.items():
        setattr(member, name, profiles.checked(name, value))
    if "handle" in profile:
        member.handle_kept = Secret(member.handle) if member.handle else None


def _save(member: Member, profile: Profile, **how: Any) -> None:
    if profile.get("handle") and _others(member).filter(handle=member.handle).exists():
        raise HandleTaken
    if "phone" in profile and member.phone is None:
        # A digest outlives its content otherwise: what was taken away would still be recognised.
        member.phone_digest = None
    try:
        with transaction.atomic():
            member.save(**how)
    except IntegrityError as error:
        if "handle" in str(error):
            raise HandleTaken from error
        raise


def _others(member: Member) -> Any:
    return Member.objects.exclude(pk=member.pk)


def _content(member: Member, name: str) -> Any:
    """What a column holds; of a personal one a ``Secret``, which the trail hides."""
    value = getattr(member, name)
    if isinstance(value, Encrypted):
        return value.decrypt()
    return Secret(value or "") if name in _PERSONAL else value
