"""Giving and taking the right to enter the admin."""

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.models import User
from members.services import rights
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError

REASON: Final = "manage.py staff"


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
        try:
            if withdraw:
                rights.withdraw(user=user, by=SYSTEM, reason=REASON)
            else:
                rights.appoint(user=user, superuser=superuser, by=SYSTEM, reason=REASON)
        except DomainError as refusal:
            raise CommandError(f"{email}: {refusal}") from refusal
        self.stdout.write(f"{email} is {'not ' if withdraw else ''}staff.")
