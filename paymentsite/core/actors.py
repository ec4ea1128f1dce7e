"""Who acts: a member of staff, a member, a partner, or the system itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop

from paymentsite.core.errors import Forbidden

if TYPE_CHECKING:
    # Read before the app registry is ready, these modules would ask it for models.
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

STAFF: Final = "staff"
MEMBER: Final = "member"


class OwnMatter(Forbidden):
    code = "own_matter"
    sentence = gettext_noop("This is about yourself; somebody else must do it.")


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who can be named in a journal, an audit row, an approval: ``str(actor)`` is what is stored."""

    kind: str
    key: str

    def __post_init__(self) -> None:
        # Two ways to write one number would be two people.
        if self.key.isdecimal() and self.key != str(int(self.key)):
            raise ValueError(f"{self.key!r} is not how that key is written")

    @classmethod
    def of(cls, user: "AbstractBaseUser | AnonymousUser") -> "Actor":
        """Whoever is signed in as ``user``; raises ``TypeError`` when nobody is."""
        if user.pk is None:
            raise TypeError("nobody is signed in, so nobody can act")
        return cls(STAFF if getattr(user, "is_staff", False) else MEMBER, str(user.pk))

    @classmethod
    def parse(cls, text: str) -> "Actor":
        """The actor that was stored as ``text``."""
        kind, colon, key = text.partition(":")
        if not (kind and colon and key):
            raise ValueError(f"{text!r} names no actor")
        return cls(kind, key)

    @property
    def person(self) -> str:
        """Who it is whatever their rank: a member who becomes staff is still the same person."""
        return f"user:{self.key}" if self.kind in {STAFF, MEMBER} else str(self)

    def may(self, permission: str) -> bool:
        """Whether the actor holds ``permission`` ("app.codename") at this moment, read from the database.

        Rights are given to people: the system and partners hold none.
        """
        if self.kind not in {STAFF, MEMBER} or not self.key.isdecimal():
            return False
        user = get_user_model().objects.filter(pk=self.key, is_active=True).first()
        return user is not None and (user.is_staff or self.kind == MEMBER) and user.has_perm(permission)

    @property
    def works_here(self) -> bool:
        """Whether, of staff, the person is still one of ours at this moment."""
        if self.kind != STAFF or not self.key.isdecimal():
            return True
        left = get_user_model().objects.filter(pk=self.key).exclude(is_active=True, is_staff=True)
        return not left.exists()

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


SYSTEM: Final = Actor("system", "paymentsite")


def person_of(pk: int) -> str:
    """``Actor.person`` of whoever signs in as the user ``pk``, be it as staff or as a member."""
    return Actor(MEMBER, str(pk)).person


def check_not_own(by: Actor, *pks: int | None) -> None:
    """Raise ``OwnMatter`` when ``by`` is one of those who sign in as the users ``pks``: what staff decide is never
    about oneself."""
    if by.person in {person_of(pk) for pk in pks if pk is not None}:
        raise OwnMatter
