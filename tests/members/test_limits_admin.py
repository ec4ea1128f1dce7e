"""Limits and fees in the back office: proposed on a page, done when another person approves."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.models import Limit, LimitUse, User
from paymentsite.core.models import Approval
from tests.members.factories import member
from tests.members.limiting import cap, someone, take

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LIST = "/admin/members/limit/"
ASKED = {
    "member": "",
    "tier": "",
    "level": "1",
    "kind": "any",
    "currency": "CNY",
    "measure": "amount",
    "period": "day",
    "cap": "12.5",
    "ends_at_0": "",
    "ends_at_1": "",
    "reason": "asked",
}


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def said(client: Client, url: str, answers: dict[str, str]) -> str:
    response = client.post(url, answers, follow=True)
    assert response.status_code == 200
    form = response.context.get("form")
    errors = [error for errors in form.errors.values() for error in errors] if form else response.context["messages"]
    return str(next(iter(errors)))


def approve_last() -> None:
    proposal, client = Approval.objects.get(), Client()
    client.force_login(User.objects.create_superuser("second@example.com"))
    client.post(f"/admin/core/approval/{proposal.pk}/approve/", {"shown": proposal.shown})


def test_limit_is_proposed_in_whole_units_and_set_by_the_second_person(operator):
    assert said(operator, f"{LIST}propose/", ASKED) == "Proposed: it is in force when somebody else approves."
    assert not Limit.objects.exists()

    approve_last()

    limit = Limit.objects.get()
    assert (limit.whom, limit.cap, limit.name) == ("level:1", 1_250, "any.amount.day")


@pytest.mark.parametrize("name", ["change", "approve"])
def test_whoever_decides_reads_what_it_does_in_their_language(operator, name):
    ada = member(handle="ada")
    said(operator, f"{LIST}propose/", {**ASKED, "member": "@ada", "level": "", "kind": "transfer"})
    second = Client(HTTP_ACCEPT_LANGUAGE="zh-hans")
    second.force_login(User.objects.create_superuser("second@example.com"))
    proposal = Approval.objects.get()
    page = second.get(f"/admin/core/approval/{proposal.pk}/{name}/").content.decode()

    words, _, letters = page.partition("<details>")
    assert "设定限额" in words
    assert "转账、金额、每日" in words
    assert f'href="/admin/members/member/{ada.pk}/change/">@ada</a>' in words
    assert "¥12.50" in words
    assert "批准之时" in words
    assert [raw for raw in ("1250", "transfer", "member:", "amount") if raw in words.rpartition("设定限额")[2]] == []
    assert "1250" in letters


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"cap": "x"}, "“x” is not an amount. Write it like 1250 or 12.50."),
        ({"cap": "1.5", "measure": "count"}, "There is no such limit: the cap cannot be 1.5."),
        ({"member": "999999", "level": ""}, "There is no such member."),
        ({"period": "always"}, "There is no such limit: the period cannot be always."),
    ],
)
def test_limit_that_cannot_be_is_refused_on_the_page(operator, wrong, told):
    assert said(operator, f"{LIST}propose/", {**ASKED, **wrong}) == told
    assert not Approval.objects.exists()


def test_limit_is_lowered_at_once_and_raised_by_two(operator):
    old = cap(1_000)

    page = operator.get(f"{LIST}{old.pk}/lower/")
    assert page.context["form"].initial == {"cap": "10.00"}
    assert said(operator, f"{LIST}{old.pk}/lower/", {"cap": "9", "reason": "fraud"}) == (
        "The limit is lower from now on."
    )
    new = Limit.objects.get(ends_at=None)
    assert new.cap == 900
    raised = {"cap": "99", "reason": "asked", "ends_at_0": "", "ends_at_1": ""}
    assert said(operator, f"{LIST}{new.pk}/replace/", raised).startswith("Proposed")
    approve_last()
    assert Limit.objects.get(ends_at=None).cap == 9_900


@pytest.mark.parametrize("model", ["limit", "limituse"])
def test_list_asks_as_often_for_more_rows(operator, model):
    def another(number: int) -> None:
        ada = someone()
        cap(1_000, member=ada)
        take(ada, 1, f"act:{number}")

    def asked() -> int:
        with CaptureQueriesContext(connection) as made:
            assert operator.get(f"/admin/members/{model}/").status_code == 200
        return len(made)

    another(1)
    asked()
    few = asked()
    another(2)
    another(3)
    assert asked() == few
    for row in (Limit.objects.first(), LimitUse.objects.first()):
        assert operator.get(f"/admin/members/{row._meta.model_name}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("hand", ["pk", "public_id", "handle", "@handle", "email"])
def test_limit_is_proposed_for_a_member_however_called(operator, hand):
    ada = member(handle="ada")
    called = {"pk": ada.pk, "public_id": ada.public_id, "handle": "ada", "@handle": "@ADA", "email": ada.user.email}

    said(operator, f"{LIST}propose/", {**ASKED, "level": "", "member": str(called[hand])})
    approve_last()

    assert Limit.objects.exclude(reason="").get().member == ada


def test_refused_deed_keeps_what_was_typed(operator):
    limit = cap(9_00)

    page = operator.post(f"{LIST}{limit.pk}/replace/", {"cap": "1,00", "reason": "asked for more"})

    form = page.context["form"]
    assert (page.status_code, form["cap"].value(), form["reason"].value()) == (200, "1,00", "asked for more")
    assert "1,00" in str(form.non_field_errors()[0])
    assert not Approval.objects.exists()
