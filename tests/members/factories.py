"""Members to arrange tests with: joined as the site joins them."""

from typing import Any

import factory

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
