"""What this app keeps about a person: how it is told, and how it is taken away. Registers both with ``privacy``."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext_noop

from members import personal_earnings  # noqa: F401  registers what it tells
from members.models import KycCase, KycImage, Member, Notice, PhoneProof, Pin, PinRecovery, User
from members.services import notices, privacy
from members.services.pins import UNTRIED
from paymentsite.core.disclosure import named
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault.fields import Encrypted

PROFILE = ("public_id", "handle", "display_name", "phone", "birthday", "language", "time_zone", "home_currency")
STANDING = ("phone_proven_at", "state", "kyc_level", "joined_at", "erased_at")
CASE = ("public_id", "level", "state", "legal_name", "birthday", "document", "country", "number", "note")


def erased_address(pk: int) -> str:
    """What an erased member's address reads: it can belong to nobody."""
    return f"erased-{pk}@erased.invalid"


@privacy.exporter("profile")
def profile(member: Member) -> Any:
    return _columns(member, (*PROFILE, *STANDING))


@privacy.exporter("sign-in")
def sign_in(member: Member) -> Any:
    user = member.user
    return {
        "e-mail": user.email,
        "joined": user.joined_at,
        "last sign-in": user.last_login,
        "addresses": list(EmailAddress.objects.filter(user=user).order_by("pk").values("email", "verified", "primary")),
        "factors": list(Authenticator.objects.filter(user=user).order_by("pk").values("type", "created_at")),
        "codes for a new PIN": list(
            PinRecovery.objects.filter(member=member).order_by("pk").values("sent_at", "used_at")
        ),
        "payment PIN set": Pin.objects.filter(pk=member.pk).values_list("set_at", flat=True).first(),
    }


@privacy.exporter("phone numbers")
def phone_numbers(member: Member) -> Any:
    """Numbers that they asked codes for; whether one was sent is the number's owner's business."""
    asked = PhoneProof.objects.filter(member=member).order_by("pk")
    return [_columns(proof, ("number", "sent_at", "used_at")) for proof in asked]


@privacy.exporter("sessions")
def sessions(member: Member) -> Any:
    columns = ("ip", "user_agent", "created_at", "last_seen_at")
    return list(UserSession.objects.filter(user=member.pk).order_by("pk").values(*columns))


@privacy.exporter("events")
def events(member: Member) -> Any:
    return list(member.events.values("kind", "state", "reason", "at"))


@privacy.exporter("notices")
def told(member: Member) -> Any:
    return [
        {"at": notice.at, "read": notice.read_at, "says": notices.sentence(notice)}
        for notice in Notice.objects.of(member)
    ]


@privacy.exporter("identity")
def identity(member: Member) -> Any:
    """Cases without their images, which the member has."""
    found = KycCase.objects.of(member).prefetch_related("events", "images")
    return [
        {
            **_columns(case, CASE),
            "history": [_columns(event, ("state", "reason", "at")) for event in case.events.all()],
            "images": [_columns(image, ("side", "media_type", "size", "added_at")) for image in case.images.all()],
        }
        for case in found
    ]


@privacy.exporter("trail")
def trail(member: Member) -> Any:
    """What was done by them, and to them; who of staff did it is not theirs to know."""
    theirs = Q(by=f"member:{member.pk}") | Q(subject=named(member))
    return list(AuditEntry.objects.filter(theirs).order_by("pk").values("at", "act"))


@privacy.eraser(gettext_noop("sign-in"))
def erase_sign_in(member: Member) -> None:
    """Nobody signs in as them any more, and every session is over."""
    user = User.objects.select_for_update().get(pk=member.pk)
    user.email, user.is_active = erased_address(user.pk), False
    user.set_unusable_password()
    user.save(update_fields=["email", "is_active", "password"])
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    # The admin's own log quotes what a row was called.
    about = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=about, object_id=str(user.pk)).update(object_repr=f"user {user.pk}")


@privacy.eraser(gettext_noop("profile"))
def erase_profile(member: Member) -> None:
    phone = {"phone": None, "phone_digest": None, "phone_proven_at": None}
    Member.objects.filter(pk=member.pk).update(**phone, handle=None, handle_kept=None, display_name="", birthday=None)
    PhoneProof.objects.filter(member=member).delete()


@privacy.eraser(gettext_noop("payment PIN"))
def erase_pin(member: Member) -> None:
    Pin.objects.filter(pk=member.pk).update(**UNTRIED, hashed=None, set_at=None)
    PinRecovery.objects.filter(member=member).delete()


@privacy.eraser(gettext_noop("notices"))
def erase_notices(member: Member) -> None:
    Notice.objects.filter(member=member).delete()


@privacy.eraser(gettext_noop("identity"))
def erase_identity(member: Member) -> None:
    """Images and contents go; that a level was reached, and when, stays."""
    KycImage.objects.filter(case__member=member).delete()
    KycCase.objects.filter(member=member).update(
        legal_name=None, birthday=None, document="", country="", number=None, number_digest=None, note=""
    )


def _columns(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _readable(getattr(row, name)) for name in names}


def _readable(value: Any) -> Any:
    return value.decrypt().reveal() if isinstance(value, Encrypted) else value
