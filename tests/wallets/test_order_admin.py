"""Orders, notifications and routes in the back office: shown to who may, decided by two, asked for by one."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import User
from paymentsite.core.models import Approval, OpenItem
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, let_time_pass, top_up, wallet, withdraw
from wallets.models import GatewayRoute, Notification, OrderEvent, TopUp
from wallets.models.orders import UNDECIDED
from wallets.services import conflicts

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("routed")]


def browser(name: str, *rights: str, root: bool = False) -> Client:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True, is_superuser=root)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def page(row: object, name: str = "change") -> str:
    return reverse(f"admin:wallets_{row._meta.model_name}_{name}", args=[row.pk])


def said(client: Client, url: str, **answers: object) -> str:
    response = client.post(url, answers, follow=True)
    form = response.context.get("form")
    (message,) = (form and form.non_field_errors()) or response.context["messages"]
    return str(message)


def test_who_may_only_look_can_do_nothing():
    order = top_up(wallet(), 1010)
    client = browser("looker", "view_topup")

    assert client.get(page(order)).status_code == 200
    for name in ("ask", "cancel", "accept", "give_back", "given_back", "not_given_back"):
        assert client.post(page(order, name), {"reason": "x"}).status_code == 403


def test_conflict_is_accepted_by_two_people_on_their_pages():
    purse = wallet()
    order = top_up(purse, 1010)

    assert "approve" in said(browser("ann", root=True), page(order, "accept"), reason="seen")
    proposal = Approval.objects.get()
    bob = browser("bob", root=True)
    bob.post(reverse("admin:core_approval_approve", args=[proposal.pk]), {"shown": proposal.shown})

    assert holds(purse) == eur(1009)


@pytest.mark.parametrize(("deed", "state"), [("given_back", "returned"), ("not_given_back", "conflict")])
def test_refund_that_nobody_answers_is_ended_by_two_people_on_their_pages(deed, state):
    order = top_up(wallet(), 1010)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))

    assert "approve" in said(browser("ann", root=True), page(order, deed), reason="they told us on the phone")
    proposal = Approval.objects.get(state="proposed")
    browser("bob", root=True).post(
        reverse("admin:core_approval_approve", args=[proposal.pk]), {"shown": proposal.shown}
    )

    order.refresh_from_db()
    assert order.state == state


@pytest.mark.parametrize("deed", ["given_back", "not_given_back"])
def test_only_what_is_being_given_back_is_ended_so(deed):
    client, order = browser("ann", root=True), top_up(wallet(), 1010)

    assert page(order, deed) not in client.get(page(order)).content.decode()
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    assert page(order, deed) in client.get(page(order)).content.decode()


def test_how_it_ended_is_said_and_not_left_to_what_the_page_begins_with():
    purse = wallet(500_00)
    order, client = withdraw(purse, 10_17), browser("ann", root=True)
    assert order.state in UNDECIDED
    assert client.post(page(order, "end"), {"reason": "they told us"}).status_code == 200
    assert not Approval.objects.exists()

    client.post(page(order, "end"), {"reason": "they told us", "happened": "yes"})
    assert Approval.objects.get().arguments["happened"] is True


def test_page_that_waits_for_the_member_is_taken_back_now():
    client, order = browser("ann", root=True), top_up(wallet(), 1022)
    assert page(order, "cancel") in client.get(page(order)).content.decode()

    assert "failed" in said(client, page(order, "cancel"))

    order.refresh_from_db()
    assert order.state == "failed"
    assert page(order, "cancel") not in client.get(page(order)).content.decode()
    assert "waits for the member" in said(client, page(order, "cancel"))


def test_gateway_is_asked_now():
    purse = wallet()
    order = top_up(purse, 1017)

    assert "done" in said(browser("ann", root=True), page(order, "ask"))
    assert (holds(purse), OrderEvent.objects.filter(top_up=order, origin="staff").count()) == (eur(1017), 1)


def test_gateway_may_be_asked_again_before_a_conflict_is_decided():
    """It says the same: nothing is booked, and the conflict waits for staff as before."""
    purse, client = wallet(), browser("ann", root=True)
    order = top_up(purse, 1010)
    assert page(order, "ask") in client.get(page(order)).content.decode()

    assert "differs" in said(client, page(order, "ask"))

    order.refresh_from_db()
    assert (order.state, order.next_query_at, holds(purse)) == ("conflict", None, eur(0))
    assert OpenItem.objects.filter(state="open").count() == 1


def test_route_is_added_and_changed():
    client = browser("ann", root=True)
    facts = {
        "from_minor": "12.50",
        "cost_bp": 20,
        "cost_minor": "0.3",
        "priority": 10,
        "is_on": "on",
        "reason": "cheaper",
    }
    new = {**facts, "kind": "top_up", "method": "alipay", "currency": "CNY", "gateway": "sandbox"}

    said(client, reverse("admin:wallets_gatewayroute_begin"), **new)
    route = GatewayRoute.objects.get(method="alipay")
    assert (route.from_minor, route.to_minor, route.cost_minor) == (12_50, None, 30)
    asked = client.get(page(route, "edit")).context["form"]
    begins = {name: asked[name].value() for name in ("from_minor", "to_minor", "cost_minor")}
    assert begins == {"from_minor": "12.50", "to_minor": None, "cost_minor": "0.30"}

    said(client, page(route, "edit"), **{**facts, "to_minor": "99", "is_on": ""})

    route.refresh_from_db()
    assert (route.from_minor, route.to_minor, route.cost_minor, route.is_on) == (12_50, 99_00, 30, False)


def test_route_begins_with_the_smallest_amount_and_costs_nothing_unless_told():
    new = {"kind": "top_up", "method": "alipay", "currency": "CNY", "gateway": "sandbox"}
    facts = {"cost_bp": 0, "priority": 10, "is_on": "on", "reason": "new"}

    said(browser("ann", root=True), reverse("admin:wallets_gatewayroute_begin"), **new, **facts)

    route = GatewayRoute.objects.get(method="alipay")
    assert (route.from_minor, route.to_minor, route.cost_minor) == (1, None, 0)


@pytest.mark.parametrize("model", ["topup", "withdrawal", "orderevent", "notification", "gatewayroute"])
def test_list_asks_as_often_for_three_rows_as_for_one(model):
    client = browser("ann", root=True)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:wallets_{model}_changelist")).status_code == 200
        return len(queries)

    for number in range(3):
        top_up(wallet(), 1000, reference=f"r{number}")
        withdraw(wallet(5000), 1000)
        if number == 0:
            let_time_pass()
            count()
            first = count()
    let_time_pass()

    assert count() == first


def test_body_of_a_notification_is_on_no_page():
    top_up(wallet(), 1000)
    let_time_pass()
    kept = Notification.objects.first()

    response = browser("ann", root=True).get(page(kept))

    assert kept.body.decrypt().reveal()[:20] not in response.content.decode()
    assert TopUp.objects.count() == 1
