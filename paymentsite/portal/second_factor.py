"""The second factor of a sign-in: who has one, and that staff keep theirs."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from members.models import User

# Recovery codes stand in for a lost factor; alone they are none.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_set_up(user: User | AnonymousUser) -> bool:
    """Whether ``user`` has an authenticator app or a passkey."""
    return user.is_authenticated and bool(is_mfa_enabled(user, FACTORS))


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Staff may replace their last factor, not drop it: the site would refuse its next start."""
        if not (settings.STAFF_SECOND_FACTOR_REQUIRED and authenticator.user.is_staff):
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return authenticator.type not in FACTORS or others.exists()
