"""Signing up and in, where it differs from allauth's own way."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import SignupForm
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from members.models import User
from members.services import members
from paymentsite.core.middleware import address_of

NO_ADDRESS = "::"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Who signs up is a member, in the same transaction."""

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: FBT001, FBT002  allauth's signature
        saved: User = super().save_user(request, user, form, commit)
        if commit:
            spoken = get_language()
            members.join(user=saved, language=spoken if spoken in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        return saved

    def send_account_already_exists_mail(self, email: str) -> None:
        """A new sign-up hashes its password; so does one with a known address, or the clock would tell them apart."""
        make_password("as long as any other")
        super().send_account_already_exists_mail(email)

    def get_client_ip(self, request: HttpRequest) -> str:
        """As the audit trail sees it: behind our proxy the rate limits of all people would else be one person's."""
        return address_of(request) or NO_ADDRESS


class SignUpForm(SignupForm):  # type: ignore[misc]
    """Sign-in, address and membership come about together; two who take one address at once hear the same."""

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        saved: User = super().save(request)
        return saved

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        try:
            saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        except IntegrityError:
            # The address was free when the form was checked.
            self.account_already_exists = True
            saved = super().try_save(request)
        return saved
