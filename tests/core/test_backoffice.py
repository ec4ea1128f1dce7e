"""The back office shows, and does what one person may do alone or the second of two."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import User
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.backoffice import BackOffice
from paymentsite.core.effects import Effect, Line
from paymentsite.core.models import Approval, AuditEntry, OpenItem
from paymentsite.core.services import approvals, audit, open_items

pytestmark = pytest.mark.django_db

State = Approval.State
CARD = "4111111111111111"
MODELS = ("auditentry", "auditseal", "approval", "openitem")
VIEW = [f"view_{model}" for model in MODELS]


@approvals.required(
    "test.promote",
    right="members.change_user",
    concerns=approvals.NOBODY,
    title="Promote somebody",
    lines={"name": Line("called"), "was": Line("before")},
)
def promote(*, user: User, name: str, by: Actor, reason: str) -> Effect:
    User.objects.filter(pk=user.pk).update(email=f"{name}@example.com")
    return {"name": name, "was": user.email}


def staff(name: str, *rights: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def browser(user: User) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(user)
    return client


@pytest.fixture
def ann() -> User:
    return staff("ann", *VIEW, "change_user")


@pytest.fixture
def bob() -> User:
    return staff("bob", *VIEW, "change_user", "change_openitem")


@pytest.fixture
def proposal(ann: User) -> Approval:
    user = User.objects.create_user("old@example.com")
    return promote(user=user, name="new", by=Actor.of(ann), reason="<b>asked</b>")


@pytest.fixture
def item() -> OpenItem:
    return open_items.open(kind="unmatched", subject="credit:1", why="No such <i>reference</i>", by=SYSTEM)


def page(row: object, name: str = "change") -> str:
    return reverse(f"admin:core_{row._meta.model_name}_{name}", args=[row.pk])


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def refused(response: Any) -> list[str]:
    """Why, above what was answered."""
    form = response.context.get("form")
    return [str(error) for error in form.non_field_errors()] if form else []


def said(client: Client, url: str, **answers: str) -> str:
    """What the operator is told after answering a deed's page."""
    response = client.post(url, answers, follow=True)
    assert response.status_code == 200
    (message,) = refused(response) or response.context["messages"]
    return str(message)


def approve_on_page(client: Client, proposal: Approval) -> str:
    shown = re.search(r'name="shown" value="([0-9a-f]{64})"', text(client, page(proposal, "approve")))
    assert shown
    return said(client, page(proposal, "approve"), shown=shown[1])


def rows_of_each(proposal: Approval, item: OpenItem) -> list[object]:
    return [AuditEntry.objects.first(), audit.seal(), proposal, item]


def test_pages_are_closed_to_everybody_else(proposal: Approval, item: OpenItem) -> None:
    stranger, member = staff("eve"), User.objects.create_user("member@example.com")
    for row in rows_of_each(proposal, item):
        for url in (page(row), reverse(f"admin:core_{row._meta.model_name}_changelist")):
            assert browser(stranger).get(url).status_code == 403
            assert browser(member).get(url).status_code == 302
            assert Client().get(url).status_code == 302


def test_pages_only_show(proposal: Approval, item: OpenItem) -> None:
    root = browser(User.objects.create_superuser("root@example.com"))
    for row in rows_of_each(proposal, item):
        name = row._meta.model_name
        assert root.get(page(row)).status_code == 200
        assert root.post(page(row), {"state": "approved"}).status_code == 403
        assert root.post(page(row, "delete"), {"post": "yes"}).status_code == 403
        assert root.get(reverse(f"admin:core_{name}_add")).status_code == 403
        bulk = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
        root.post(reverse(f"admin:core_{name}_changelist"), bulk)
        assert type(row).objects.filter(pk=row.pk).exists()

    assert Approval.objects.get().state == State.PROPOSED


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_as_often_for_three_rows_as_for_one(ann, bob, model) -> None:
    def another(number: int) -> None:
        user = User.objects.create_user(f"u{number}@example.com")
        mine = promote(user=user, name=f"n{number}", by=Actor.of([ann, bob][number % 2]), reason="asked")
        approvals.withdraw(approval=mine, by=Actor.of([ann, bob][number % 2]))
        open_items.open(kind="unmatched", subject=f"credit:{number}", why="x", by=Actor.of([ann, bob][number % 2]))
        assert audit.seal()

    client, url = browser(ann), reverse(f"admin:core_{model}_changelist")
    another(1)
    text(client, url)  # what is cached for good is cached now
    with CaptureQueriesContext(connection) as first:
        text(client, url)
    another(2)
    another(3)
    with CaptureQueriesContext(connection) as later:
        text(client, url)

    assert len(later) == len(first)


def test_list_says_who_people_are(proposal: Approval, ann: User, bob: User) -> None:
    assert "ann@example.com" in text(browser(bob), reverse("admin:core_approval_changelist"))
    assert "ann@example.com" in text(browser(bob), reverse("admin:core_auditentry_changelist"))
    assert "ann@example.com" in text(browser(bob), page(proposal))


def test_trail_is_searched_for_whole_words(proposal: Approval, ann: User, bob: User) -> None:
    def found(term: str) -> int:
        response = browser(bob).get(reverse("admin:core_auditentry_changelist"), {"q": term})
        return len(response.context["cl"].result_list)

    open_items.open(kind="unmatched", subject="credit:1", why="x", by=SYSTEM)

    assert found(f"core.approval:{proposal.pk}") == found(f" staff:{ann.pk} ") == found("approval.proposed") == 1
    assert (found("approval"), found(" ")) == (0, 2)


def test_entry_says_what_changed_and_whether_it_is_sealed(bob: User) -> None:
    with transaction.atomic():
        changed = {"limit": {"amount": 125000, "currency": "CNY"}, "tags": ["<x>"], "nothing": None}
        entry = audit.record(by=SYSTEM, act="limit.raised", subject="member:1", after=changed)
    client = browser(bob)

    before = text(client, page(entry))
    audit.seal()

    assert "CN¥1,250.00" in before
    assert "&lt;x&gt;" in before
    assert "not yet" in before
    assert "by seal 1" in text(client, page(entry))


def test_seal_shows_the_head_to_export(proposal: Approval, bob: User) -> None:
    seal = audit.seal()
    assert seal

    assert audit.head() in text(browser(bob), page(seal))


def test_approval_shows_arguments_effect_and_reason_escaped(proposal: Approval, bob: User) -> None:
    for name in ("change", "approve", "refuse"):
        shown = text(browser(bob), page(proposal, name))
        assert "Promote somebody" in shown
        assert re.search('before</dt><dd class="[^"]*">old@example.com', shown)
        assert "members.user:" in shown
        assert "&lt;b&gt;asked&lt;/b&gt;" in shown
        assert "<b>asked</b>" not in shown
    assert "approval.proposed" in text(browser(bob), page(proposal))


@pytest.mark.attack
def test_approval_shows_no_card_number(ann: User, bob: User) -> None:
    user = User.objects.create_user("old@example.com")
    proposal = promote(user=user, name=CARD, by=Actor.of(ann), reason=f"for {CARD}")

    assert CARD not in text(browser(bob), page(proposal)) + text(browser(bob), page(proposal, "approve"))


def test_second_person_approves_what_is_on_the_page(proposal: Approval, bob: User) -> None:
    assert approve_on_page(browser(bob), proposal) == "Approved and done."

    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == (State.APPROVED, f"staff:{bob.pk}")
    assert User.objects.filter(email="new@example.com").exists()
    entry = AuditEntry.objects.get(act="approval.approved")
    assert entry.address == "192.0.2.7"
    assert len(entry.request_id) == 36


def test_looking_at_a_deed_does_nothing(proposal: Approval, item: OpenItem, bob: User) -> None:
    client = browser(bob)
    for row, names in ((proposal, ("approve", "refuse", "withdraw")), (item, ("take", "assign", "release", "close"))):
        for name in names:
            text(client, page(row, name))

    proposal.refresh_from_db()
    item.refresh_from_db()
    assert (proposal.state, item.state, item.owner) == (State.PROPOSED, "open", "")


@pytest.mark.attack
def test_nobody_approves_their_own(proposal: Approval, ann: User) -> None:
    client = browser(ann)
    own = "You proposed this yourself; somebody else must decide."

    assert approve_on_page(client, proposal) == own
    assert said(client, page(proposal, "refuse"), note="no") == own

    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    assert approve_on_page(client, proposal) == own
    assert Approval.objects.get().state == State.PROPOSED


@pytest.mark.attack
def test_nobody_approves_without_the_right(proposal: Approval) -> None:
    eve = staff("eve", *VIEW)

    assert "takes the right members.change_user" in approve_on_page(browser(eve), proposal)
    assert Approval.objects.get().state == State.PROPOSED


@pytest.mark.attack
def test_deeds_take_their_permission_and_a_token(proposal: Approval, item: OpenItem, bob: User) -> None:
    blind, seeing = staff("blind", "change_user", "change_openitem"), staff("seeing", *VIEW)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)

    assert browser(blind).post(page(proposal, "approve"), {"shown": proposal.shown}).status_code == 403
    assert browser(seeing).post(page(item, "close"), {"note": "x"}).status_code == 403
    assert browser(seeing).post(page(item, "take")).status_code == 403
    assert strict.post(page(proposal, "approve"), {"shown": proposal.shown}).status_code == 403
    assert Approval.objects.get().state == State.PROPOSED
    assert OpenItem.objects.get().owner == ""


def test_deed_on_what_is_not_there_is_not_found(proposal: Approval, bob: User) -> None:
    for pk in (proposal.pk + 1, "x"):
        assert browser(bob).get(reverse("admin:core_approval_approve", args=[pk])).status_code == 404


def test_effect_that_changed_since_the_page_is_not_done(proposal: Approval, bob: User) -> None:
    client, shown = browser(bob), proposal.shown
    User.objects.filter(email="old@example.com").update(email="other@example.com")

    assert "Look again before deciding." in said(client, page(proposal, "approve"), shown=shown)

    assert Approval.objects.get().state == State.PROPOSED
    assert "other@example.com" in text(client, page(proposal, "approve"))
    assert approve_on_page(client, proposal) == "Approved and done."


def test_deed_asks_again_for_what_is_missing(proposal: Approval, bob: User) -> None:
    response = browser(bob).post(page(proposal, "refuse"), {"note": ""})

    assert response.status_code == 200
    assert response.context["form"].errors == {"note": ["This field is required."]}
    assert Approval.objects.get().state == State.PROPOSED


def test_refusing_and_withdrawing_go_through_their_services(proposal: Approval, ann: User, bob: User) -> None:
    assert said(browser(bob), page(proposal, "withdraw"), note="no") == "Only whoever proposed this can withdraw it."
    assert said(browser(bob), page(proposal, "refuse"), note="not like this") == "Refused."

    again = promote(user=User.objects.get(email="old@example.com"), name="new", by=Actor.of(ann), reason="asked")
    assert said(browser(ann), page(again, "withdraw"), note="typo") == "Withdrawn."

    states = Approval.objects.order_by("pk").values_list("state", "note")
    assert list(states) == [(State.REFUSED, "not like this"), (State.WITHDRAWN, "typo")]


def buttons(user: User, row: object) -> list[str]:
    return re.findall(r'href="/admin/core/\w+/[^"/]+/(\w+)/">[A-Z]', text(browser(user), page(row)))


def test_buttons_are_those_that_would_work(proposal: Approval, item: OpenItem, ann: User, bob: User) -> None:
    seeing = staff("seeing", *VIEW)

    assert buttons(ann, proposal) == ["withdraw"]
    assert buttons(bob, proposal) == ["approve", "refuse"]
    assert buttons(seeing, proposal) == []
    with clock.standing(proposal.expires_at + timedelta(seconds=1)):
        assert buttons(ann, proposal) == buttons(bob, proposal) == []
    approvals.withdraw(approval=proposal, by=Actor.of(ann))
    assert buttons(ann, proposal) == buttons(bob, proposal) == []

    assert buttons(seeing, item) == []
    assert buttons(bob, item) == ["take", "assign", "close"]
    open_items.assign(item=item, owner=Actor.of(bob), by=SYSTEM)
    assert buttons(bob, item) == ["assign", "release", "close"]
    open_items.close(kind=item.kind, subject=item.subject, by=SYSTEM)
    assert buttons(bob, item) == []


def test_open_item_is_taken_assigned_released_and_closed(item: OpenItem, ann: User, bob: User) -> None:
    client = browser(bob)
    member = User.objects.create_user("member@example.com")

    def owner() -> str:
        item.refresh_from_db()
        return item.owner

    assert (said(client, page(item, "take")), owner()) == ("It is yours.", f"staff:{bob.pk}")
    assert (said(client, page(item, "assign"), owner=ann.pk), owner()) == ("Assigned.", f"staff:{ann.pk}")
    assert client.post(page(item, "assign"), {"owner": member.pk}).status_code == 200
    assert (said(client, page(item, "release")), owner()) == ("Nobody's now.", "")
    assert said(client, page(item, "close"), note="Called the bank") == "Closed."
    assert said(client, page(item, "close"), note="Again") == "This is done already: unmatched credit:1."

    item.refresh_from_db()
    assert (item.state, item.note, item.closed_by) == ("done", "Called the bank", f"staff:{bob.pk}")


def test_pages_and_lists_say_once_of_which_zone_their_times_are(ann, bob):
    proposal = promote(user=ann, name="x", by=Actor.of(ann), reason="asked")
    pages = [
        reverse("admin:core_approval_changelist"),
        reverse("admin:core_approval_change", args=[proposal.pk]),
        reverse("admin:core_approval_refuse", args=[proposal.pk]),
    ]
    for page in pages:
        assert browser(bob).get(page).content.decode().count("Times are those of UTC.") == 1

    call_command("messages", "compile")
    chinese = browser(bob).get(pages[0], headers={"Accept-Language": "zh-hans"}).content.decode()
    assert chinese.count("UTC") == 1
    assert "Times are" not in chinese


def test_no_list_or_page_of_ours_leaves_the_zone_out():
    ours = [each for each in site._registry.values() if isinstance(each, BackOffice)]

    assert len(ours) > 40
    assert {(each.list_after_template, each.change_form_outer_after_template) for each in ours} == {
        ("admin/zone.html", "admin/zone.html")
    }
