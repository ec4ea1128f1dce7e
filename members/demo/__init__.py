"""People to sign in as. Their passwords are known to everybody, so there are none outside a sandbox."""

from collections.abc import Iterator
from typing import Final

from allauth.account.models import EmailAddress
from django.db import transaction

from members.demo import rewards, tiers
from members.models import User

OPERATOR: Final = ("operator@example.com", "walnut-harbour-42")
MEMBER: Final = ("member@example.com", "maple-lantern-17")


@transaction.atomic
def fill() -> Iterator[str]:
    """An operator and a member exist, their addresses verified; says how to sign in as each."""
    _person(*OPERATOR, is_staff=True, is_superuser=True)
    _person(*MEMBER)
    tiers.fill()
    rewards.fill()
    yield f"  operator  {OPERATOR[0]}  {OPERATOR[1]}"
    yield f"  member    {MEMBER[0]}    {MEMBER[1]}"


def _person(email: str, password: str, **rights: bool) -> None:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, password, **rights)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
