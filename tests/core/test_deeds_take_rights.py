"""Every deed of the back office takes its right, as the database has it when the deed is done."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members.models import Member, User
from paymentsite.core.backoffice import BackOffice
from paymentsite.core.models import Approval, AuditEntry
from tests.members.factories import member

pytestmark = [pytest.mark.django_db, pytest.mark.attack]

DEEDS = sorted(
    (f"{office.opts.app_label}_{office.opts.model_name}", name, on_row)
    for office in admin.site._registry.values()
    # Who decides on an approval needs the right that its act declares, which the service asks for.
    if isinstance(office, BackOffice) and office.model is not Approval
    for on_row, names in ((True, office.deeds), (False, office.add_deeds))
    for name in names
)


def staff(*rights: str) -> tuple[User, Client]:
    user, browser = User.objects.create_user(f"staff{User.objects.count()}@example.com", is_staff=True), Client()
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    browser.force_login(user)
    return user, browser


@pytest.mark.parametrize(("page", "name", "on_row"), DEEDS)
def test_deed_is_refused_to_who_may_only_look(page, name, on_row):
    looking = Permission.objects.filter(codename__startswith="view_").values_list("codename", flat=True)
    _user, browser = staff(*looking)
    before = AuditEntry.objects.count()
    url = reverse(f"admin:{page}_{name}", args=["1"] if on_row else [])
    assert browser.post(url, {"reason": "x"}).status_code == 403
    assert AuditEntry.objects.count() == before


def test_right_that_was_withdrawn_since_the_page_was_opened_is_gone():
    ada = member()
    user, browser = staff("view_member", "suspend")
    url = reverse("admin:members_member_suspend", args=[ada.pk])
    assert browser.get(url).status_code == 200

    user.user_permissions.remove(Permission.objects.get(codename="suspend"))

    assert browser.post(url, {"reason": "x"}).status_code == 403
    assert Member.objects.get(pk=ada.pk).state == "active"
