"""Giving and taking the right to enter the admin."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.models import User


class Command(BaseCommand):
    help = "Make someone staff, or withdraw it. In production only people with a second factor can be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address they sign in with")
        parser.add_argument("--superuser", action="store_true", help="with every right there is")
        parser.add_argument("--withdraw", action="store_true", help="take the rights away")

    def handle(self, *, email: str, superuser: bool, withdraw: bool, **_: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {email}. They sign up on the site first.")
        factors = Authenticator.objects.filter(user=user, type__in=["totp", "webauthn"])
        if settings.STAFF_SECOND_FACTOR_REQUIRED and not withdraw and not factors.exists():
            raise CommandError(f"{email} has no second factor. They set one up on the site first.")

        user.is_staff = not withdraw
        user.is_superuser = superuser and not withdraw
        user.save(update_fields=["is_staff", "is_superuser"])
        self.stdout.write(f"{email} is {'not ' if withdraw else ''}staff.")
