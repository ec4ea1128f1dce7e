"""Members to arrange tests with: joined as the site joins them."""

from typing import Any

import factory
from allauth.account.models import EmailAddress

from members.models import Limit, Member, User
from members.models.limits import CAP_MAX
from members.services import members
from paymentsite.core.ids import EPOCH

CURRENCIES = ("CNY", "EUR", "USD", "JPY", "HKD", "GBP", "KWD")


class UserFactory(factory.Factory[User]):
    class Meta:
        model = User.objects.create_user

    email = factory.Sequence(lambda number: f"person{number}@example.com")


def unlimited() -> None:
    """Where no limit is set nothing is allowed: let everybody do all that a test may ask for."""
    sorts = (("amount", "act"), ("balance", "always"))
    if not Limit.objects.exists():
        Limit.objects.bulk_create(
            Limit(
                kind="any",
                currency=currency,
                measure=measure,
                period=period,
                cap=CAP_MAX,
                starts_at=EPOCH,
                set_by="test:1",
            )
            for currency in CURRENCIES
            for measure, period in sorts
        )


def joined(**fields: Any) -> Member:
    unlimited()
    return members.join(**fields)


class MemberFactory(factory.Factory[Member]):
    class Meta:
        model = joined

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
