"""A list page makes rows by deeds, and a row's page changes them; both through services alone."""

from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import path
from unfold.sites import UnfoldAdminSite

from members.models import User
from paymentsite import urls
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.backoffice import BackOffice, add_deed, as_is, deed
from paymentsite.core.models import OpenItem
from paymentsite.core.services import open_items

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LIST = "/admin/core/openitem/"
REPORT = f"{LIST}report/"


class ReportForm(forms.Form):
    subject = forms.CharField(max_length=60)


class WhyForm(forms.Form):
    why = forms.CharField(max_length=60)


class Items(BackOffice[OpenItem]):
    list_display = ("subject", "why")
    add_deeds = ("report",)
    deeds = ("reword",)

    @add_deed("Report", permission="core.add_openitem", form=ReportForm, initial=lambda _row: {"subject": "credit:"})
    def report(self, *, by: Actor, answers: dict[str, Any]) -> str:
        if answers["subject"] == "credit:":
            raise open_items.NoteMissing
        open_items.open(kind="found", subject=answers["subject"], why="Reported", by=by)
        return "Reported."

    @deed("Reword", permission="core.change_openitem", form=WhyForm, initial=as_is("why"))
    def reword(self, *, row: OpenItem, by: Actor, answers: dict[str, Any]) -> str:
        return f"{by} said {answers['why']} of {row.subject}"


site = UnfoldAdminSite("admin")
site.register(OpenItem, Items)
urlpatterns = [
    path("admin/", site.urls),
    *(each for each in urls.urlpatterns if str(each.pattern) != "admin/"),
]


def browser(*rights: str) -> Client:
    user = User.objects.create_user(f"{len(rights)}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.attack
@pytest.mark.parametrize("rights", [(), ("view_openitem", "change_openitem"), ("add_openitem",)])
def test_add_deed_takes_the_right_to_see_and_its_permission(rights):
    client = browser(*rights)

    assert client.get(REPORT).status_code == 403
    assert client.post(REPORT, {"subject": "credit:1"}).status_code == 403
    assert Client().post(REPORT, {"subject": "credit:1"}).status_code == 302
    assert not OpenItem.objects.exists()


def test_add_deed_is_offered_on_the_list_to_those_who_may():
    button = f'href="{REPORT}">Report</a>'

    assert button in browser("view_openitem", "add_openitem").get(LIST).content.decode()
    assert button not in browser("view_openitem").get(LIST).content.decode()


def test_add_deed_that_is_refused_or_incomplete_says_so_above_what_was_answered():
    client = browser("view_openitem", "add_openitem")

    incomplete = client.post(REPORT, {"subject": ""})
    refused = client.post(REPORT, {"subject": "credit:"})

    assert incomplete.context["form"].errors == {"subject": ["This field is required."]}
    assert refused.context["form"].non_field_errors() == [str(open_items.NoteMissing())]
    assert str(open_items.NoteMissing()) in refused.content.decode()
    assert 'value="credit:"' in refused.content.decode()
    assert not OpenItem.objects.exists()


def test_add_deed_makes_a_row_and_goes_back_to_the_list():
    client = browser("view_openitem", "add_openitem")
    asked = client.get(REPORT)

    done = client.post(REPORT, {"subject": "credit:1"}, follow=True)

    assert asked.context["form"].initial == {"subject": "credit:"}
    assert done.redirect_chain == [(LIST, 302)]
    assert [str(message) for message in done.context["messages"]] == ["Reported."]
    assert OpenItem.objects.get().subject == "credit:1"


def test_nothing_is_added_past_a_deed():
    client = browser("view_openitem", "add_openitem", "change_openitem")

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}add/", {"subject": "credit:1"}).status_code == 403


def test_edit_deed_begins_with_what_the_row_says():
    item = open_items.open(kind="found", subject="credit:1", why="No such reference", by=SYSTEM)
    client = browser("view_openitem", "change_openitem")

    asked = client.get(f"{LIST}{item.pk}/reword/")
    done = client.post(f"{LIST}{item.pk}/reword/", {"why": "Found"}, follow=True)

    assert asked.context["form"].initial == {"why": "No such reference"}
    assert [str(message)[-22:] for message in done.context["messages"]] == ["said Found of credit:1"]
