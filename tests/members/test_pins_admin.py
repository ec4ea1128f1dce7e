"""Payment PINs in the back office."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members.models import Pin, User
from members.services import pins
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from paymentsite.core.vault import Secret
from tests.members.factories import member

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def pin() -> Pin:
    ada = member(handle="ada")
    pins.set_pin(member=ada, pin=Secret("482916"), by=Actor.of(ada.user))
    return Pin.objects.get()


def browser(*rights: str) -> Client:
    user = User.objects.create_user(f"staff{User.objects.count()}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def test_clearing_is_proposed_by_who_may_and_done_by_nobody_alone(pin):
    page = reverse("admin:members_pin_clear", args=[pin.pk])
    assert browser("view_pin").post(page, {"reason": "x"}).status_code == 403

    browser("view_pin", "clear_pin").post(page, {"reason": "lost her mailbox"})

    assert Approval.objects.get().act == "members.clear_pin"
    assert Pin.objects.get().hashed is not None


def test_page_shows_counters_and_nothing_to_guess_with(pin):
    page = browser("view_pin").get(reverse("admin:members_pin_change", args=[pin.pk]))

    assert page.status_code == 200
    assert "argon2" not in page.content.decode()
    assert browser("view_pin").get(reverse("admin:members_pin_changelist")).status_code == 200
    assert browser().get(reverse("admin:members_pin_changelist")).status_code == 403
