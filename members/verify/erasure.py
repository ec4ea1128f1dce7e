"""That nothing readable is left of those whose data was erased."""

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from members.models import KycCase, KycImage, Member, Notice, PhoneProof, Pin, PinRecovery
from paymentsite.core.verification import Fault, Run, check

_PROFILE = (
    Q(handle__isnull=False)
    | Q(handle_kept__isnull=False)
    | ~Q(display_name="")
    | Q(phone__isnull=False)
    | Q(phone_digest__isnull=False)
    | Q(birthday__isnull=False)
)
_CASE = (
    Q(legal_name__isnull=False)
    | Q(birthday__isnull=False)
    | Q(number__isnull=False)
    | Q(number_digest__isnull=False)
    | ~Q(document="", country="", note="")
)


@check("members.erased_hold_nothing", "Of an erased member nothing is left that names or lets in anybody.")
def erased_hold_nothing(run: Run) -> Iterator[Fault]:
    erased = Member.objects.filter(erased_at__isnull=False)
    run.seen["erased members"] = erased.count()
    if not run.seen["erased members"]:
        return
    for member in erased.filter(_PROFILE).order_by("pk"):
        yield f"member {member.pk}", "its profile is still there"
    for member in erased.exclude(erased_sign_in()).order_by("pk"):
        yield f"member {member.pk}", "somebody could still sign in as them, or be written to"
    for name, rows, path in _left():
        owners = rows.filter(**{f"{path}__in": erased.values("pk")})
        for pk in sorted(set(owners.values_list(path, flat=True))):
            yield f"member {pk}", f"has {name}"


def erased_sign_in() -> Q:
    address = Concat(Value("erased-"), Cast(F("pk"), CharField()), Value("@erased.invalid"))
    closed = Q(user__is_active=False, user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return Q(user__email=address) & closed


def _left() -> list[tuple[str, QuerySet[Any], str]]:
    return [
        ("an e-mail address", EmailAddress.objects.all(), "user"),
        ("an authenticator", Authenticator.objects.all(), "user"),
        ("a session", UserSession.objects.all(), "user"),
        ("a payment PIN", Pin.objects.filter(hashed__isnull=False), "member"),
        ("a code to recover a PIN", PinRecovery.objects.all(), "member"),
        ("a proof of a phone number", PhoneProof.objects.all(), "member"),
        ("notices", Notice.objects.all(), "member"),
        ("an identity case with contents", KycCase.objects.filter(_CASE), "member"),
        ("an image of a document", KycImage.objects.all(), "case__member"),
    ]
