"""Leaving, by staff in the back office."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from members.models import Member, User
from tests.members import pointing
from tests.members.factories import member
from tests.wallets.factories import wallet

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def state(who: Member) -> str:
    return Member.objects.get(pk=who.pk).state


class TestDeed:
    def page(self, who: Member, name: str = "change") -> str:
        return reverse(f"admin:members_member_{name}", args=[who.pk])

    @pytest.fixture
    def operator(self, client):
        client.force_login(User.objects.create_superuser("operator@example.com"))
        return client

    def test_needs_its_right(self, client):
        ada = member()
        viewer = User.objects.create_user("viewer@example.com", is_staff=True)
        viewer.user_permissions.set(permissions("view_member", "suspend"))
        client.force_login(viewer)

        assert client.post(self.page(ada, "close"), {"reason": "asked"}).status_code == 403
        assert "Close membership" not in client.get(self.page(ada)).text

        viewer.user_permissions.add(*permissions("end_membership"))
        assert client.post(self.page(ada, "close"), {"reason": "asked"}).status_code == 302
        assert state(ada) == "closed"

    def test_needs_a_reason_and_says_what_is_left(self, operator):
        purse = wallet(100)

        assert operator.post(self.page(purse.member, "close"), {}).status_code == 200
        told = operator.post(self.page(purse.member, "close"), {"reason": "asked"}, follow=True).text

        assert "there is still 1.00 CNY" in told
        assert state(purse.member) == "active"

    def test_points_are_lost_when_the_member_was_told(self, operator):
        ada = member()
        pointing.rule()
        pointing.pay(ada, 500, source="payment:1")

        operator.post(self.page(ada, "close"), {"reason": "asked"})
        assert state(ada) == "active"
        told = operator.post(self.page(ada, "close"), {"reason": "asked", "forfeit_points": "on"}, follow=True).text

        assert "The membership is closed, and so are its wallets." in told
        assert state(ada) == "closed"
        assert "Close membership" not in told

    def test_the_deeds_of_members_are_still_there(self, operator):
        told = operator.get(self.page(member())).text

        assert all(label in told for label in ("Suspend", "Close membership"))


def permissions(*codenames: str) -> list[Any]:
    return list(Permission.objects.filter(codename__in=codenames))
