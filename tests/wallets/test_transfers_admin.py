"""Transfers, requests, standing orders and gifts in the back office."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import User
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from tests.members.factories import member
from tests.wallets.factories import asked, given, sent, wallet
from tests.wallets.races import due_order
from wallets.models import Gift, MoneyRequest, StandingOrder, StandingRun, Transfer
from wallets.services import standing_orders, standing_runs

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (Transfer, MoneyRequest, StandingOrder, StandingRun, Gift)


def fill() -> None:
    purse = wallet(1_000)
    sent(100, sender=purse, to=member())
    asked(of=purse.member)
    given(50, purse)
    order = due_order(purse.member, member())
    standing_runs.carry_out(now=order.next_at)


def staff(*rights: str) -> Client:
    user = User.objects.create_user(f"staff{User.objects.count()}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def page(model, row=None, name="change"):
    prefix = f"admin:wallets_{model._meta.model_name}"
    return reverse(f"{prefix}_changelist") if row is None else reverse(f"{prefix}_{name}", args=[row.pk])


DEEDS = [
    (MoneyRequest, "withdraw", "end_request", "cancelled"),
    (StandingOrder, "pause", "pause_order", "paused"),
    (StandingOrder, "end", "pause_order", "ended"),
    (Gift, "give_back", "return_gift", "returned"),
]


@pytest.mark.parametrize(("model", "name", "right", "state"), DEEDS)
def test_deed_takes_its_right_and_is_done_by_its_service(model, name, right, state):
    fill()
    row, see = model.objects.get(), f"view_{model._meta.model_name}"
    before = row.state

    assert staff(see).post(page(model, row, name)).status_code == 403
    assert model.objects.get().state == before

    answer = staff(see, right).post(page(model, row, name), {"reason": "they asked"})
    assert (answer.status_code, model.objects.get().state) == (302, state)
    assert AuditEntry.objects.of(row).latest("pk").reason == "they asked"


def test_what_staff_paused_is_theirs_to_resume():
    fill()
    order, client = StandingOrder.objects.get(), staff("view_standingorder", "pause_order")
    client.post(page(StandingOrder, order, "pause"), {"reason": "we look at it"})

    order.refresh_from_db()
    assert Actor.parse(order.paused_by).kind == "staff"
    client.post(page(StandingOrder, order, "resume"), {"reason": "nothing is wrong"})
    assert StandingOrder.objects.get().state == "active"


def offered(order: StandingOrder) -> set[str]:
    """The deeds whose buttons staff see on the order's page."""
    html = staff("view_standingorder", "pause_order").get(page(StandingOrder, order)).content.decode()
    return {name for name in ("pause", "resume", "end") if page(StandingOrder, order, name) in html}


def test_what_its_member_paused_staff_are_not_offered_to_resume():
    fill()
    order = StandingOrder.objects.get()
    own = Actor.of(order.member.user)
    assert offered(order) == {"pause", "end"}

    standing_orders.pause(order=order, member=order.member, by=own)

    assert "resume" not in offered(order)
    answer = staff("view_standingorder", "pause_order").post(page(StandingOrder, order, "resume"), {"reason": "asked"})
    assert (answer.status_code, StandingOrder.objects.get().state) == (200, "paused")
    assert "paused by its member" in answer.content.decode()
    standing_orders.resume(order=order, member=order.member, by=own)
    standing_orders.pause(order=order, by=SYSTEM)
    assert "resume" in offered(order)


@pytest.mark.parametrize("by", ["member", "system"])
def test_staff_are_offered_to_hold_what_others_paused(by):
    fill()
    order, client = StandingOrder.objects.get(), staff("view_standingorder", "pause_order")
    own = {"by": Actor.of(order.member.user), "member": order.member}
    standing_orders.pause(order=order, **(own if by == "member" else {"by": SYSTEM}))
    assert "pause" in offered(order)

    assert client.post(page(StandingOrder, order, "pause"), {"reason": "we look at it"}).status_code == 302

    order.refresh_from_db()
    assert (order.state, Actor.parse(order.paused_by).kind) == ("paused", "staff")
    assert offered(order) == {"resume", "end"}
    answer = client.post(page(StandingOrder, order, "resume"), {"reason": "nothing is wrong"}, follow=True)
    said = answer.content.decode()
    order.refresh_from_db()
    if by == "member":
        assert ("Its member paused it, too" in said, order.state) == (True, "paused")
    else:
        assert ("The standing order goes on." in said, order.state) == (True, "active")
    standing_orders.end(order=order, by=SYSTEM)
    assert offered(order) == set()


@pytest.mark.parametrize("model", MODELS)
def test_pages_ask_the_same_number_of_queries_for_any_number_of_rows(model):
    client = staff(*(f"view_{each._meta.model_name}" for each in MODELS))
    fill()
    assert client.get(page(model, model.objects.earliest("pk"))).status_code == 200

    counts = []
    for more in range(2):
        with CaptureQueriesContext(connection) as made:
            assert client.get(page(model)).status_code == 200
        counts.append(len(made))
        if not more:
            fill()
            fill()

    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", [Transfer, MoneyRequest, StandingOrder, Gift])
@pytest.mark.parametrize("term", ["", "nonsense", "1", "9" * 30])
def test_search_takes_whatever_is_typed(model, term):
    fill()

    client = staff(f"view_{model._meta.model_name}")
    assert client.get(page(model), {"q": term}).status_code == 200
    found = client.get(page(model), {"q": str(model.objects.earliest("pk").public_id)})
    assert len(found.context["cl"].result_list) == 1


def test_refused_run_says_why_in_words_of_both_languages():
    call_command("messages", "compile")
    order = due_order(wallet(0).member, member())
    standing_runs.carry_out(now=order.next_at)
    run, reader = StandingRun.objects.get(), staff("view_standingrun")

    english = reader.get(page(StandingRun, run)).content.decode()
    chinese = reader.get(page(StandingRun, run), headers={"Accept-Language": "zh-hans"}).content.decode()

    assert "asked for:" in english
    assert "还差" in chinese
    assert "insufficient_funds" not in english + chinese
