"""Members to arrange tests with: joined as the site joins them."""

from typing import Any

import factory
from allauth.account.models import EmailAddress

from members.models import Member, User
from members.services import members


class UserFactory(factory.Factory[User]):
    class Meta:
        model = User.objects.create_user

    email = factory.Sequence(lambda number: f"person{number}@example.com")


class MemberFactory(factory.Factory[Member]):
    class Meta:
        model = members.join

    user = factory.SubFactory(UserFactory)
    handle = factory.Sequence(lambda number: f"person{number}")
    display_name = factory.Sequence(lambda number: f"Person {number}")


def member(**fields: Any) -> Member:
    made: Member = MemberFactory(**fields)
    return made


def confirmed(member: Member) -> Member:
    """The member with a confirmed e-mail address, as everybody who can sign in has."""
    EmailAddress.objects.create(user=member.user, email=member.user.email, verified=True, primary=True)
    return member
