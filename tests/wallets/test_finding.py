"""What an operator has in hand finds the row: whose it is, or its id, on every page of what members have."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cards import demo as cards
from members import demo as people
from members.admin.finding import OfMembers
from members.models import Limit, Member, User
from members.services import points, rewards
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.ids import EPOCH
from tests.members.catalogue import coupon_reward
from tests.members.factories import member, unlimited
from tests.members.tiering import fund_points
from tests.wallets.factories import sent, wallet
from tests.wallets.gateways import sandboxes
from tests.wallets.races import due_order
from wallets import demo
from wallets.models import Transfer
from wallets.services import points_credit, requests, standing_runs

pytestmark = pytest.mark.django_db

PAGES = [page for page in admin.site._registry.values() if isinstance(page, OfMembers)]
# The sample site has none; its page is the top-ups' in all that counts here.
WITHOUT_ROWS = {"Withdrawal"}


def fill() -> None:
    """Something on every page."""
    unlimited()
    list(people.fill())
    list(demo.fill())
    list(cards.fill())
    buyer = Member.objects.get(handle="lin")
    fund_points(buyer, 5_000)
    points_credit.credit(member=buyer, count=1_000, reference="here", by=Actor.of(buyer.user))
    requests.block(member=buyer, other=member(), by=Actor.of(buyer.user))
    rewards.redeem(member=buyer, reward=coupon_reward(), reference="here", by=Actor.of(buyer.user))
    points.refer(member=member(), referrer=buyer, now=clock.now())
    order = due_order(buyer, member())
    standing_runs.carry_out(now=order.next_at)
    Limit.objects.create(
        member=buyer,
        kind="any",
        currency="CNY",
        measure="amount",
        period="day",
        cap=9,
        starts_at=EPOCH,
        set_by="test:1",
    )


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("boss@example.com")


def shown(client: Client, listed: Any, term: object) -> list[Any]:
    """What the page shows."""
    address = reverse(f"admin:{listed.opts.app_label}_{listed.opts.model_name}_changelist")
    return list(client.get(address, {"q": str(term)}).context["cl"].result_list)


def found(operator: User, listed: Any, term: object) -> list[Any]:
    """What the page would show: made for one term after the other, it would be most of the work."""
    request = RequestFactory().get("/", {"q": str(term)})
    request.user = operator
    return list(listed.get_changelist_instance(request).result_list)


def whose(listed: Any, row: Any) -> set[Member]:
    owners = set()
    for path in listed.parties:
        owner = row
        for name in path.split("__"):
            owner = owner and getattr(owner, name)
        owners.add(owner)
    return owners - {None}


@pytest.mark.first
@pytest.mark.once
def test_row_is_found_by_its_member_however_called(client, operator, tmp_path):
    client.force_login(operator)
    with sandboxes(tmp_path, "sandbox"):
        fill()
    for listed in PAGES:
        rows = [row for row in listed.model.objects.order_by("pk") if whose(listed, row)]
        assert bool(rows) != (listed.model.__name__ in WITHOUT_ROWS), listed
        for row in rows[:1]:
            assert_found(operator, listed, row)
            assert row in shown(client, listed, min(owner.pk for owner in whose(listed, row)))
        for stranger in ("nobody", "nobody@example.com", uuid4(), "9" * 30):
            assert found(operator, listed, stranger) == [], (listed, stranger)


def assert_found(operator: User, listed: Any, row: Any) -> None:
    for owner in sorted(whose(listed, row), key=lambda each: each.pk)[:1]:
        for term in (owner.pk, owner.user.email.upper(), *named(owner)):
            rows = found(operator, listed, term)
            assert row in rows, (listed, term)
            assert all(owner in whose(listed, each) for each in rows), (listed, term)
    if listed.otherwise:
        assert row in found(operator, listed, getattr(row, listed.otherwise)), listed
    if listed.known_by:
        assert found(operator, listed, getattr(row, listed.known_by)) == [row], listed


def named(owner: Member) -> list[str]:
    return [owner.handle, f" @{owner.handle.upper()} "] if owner.handle else []


def test_number_of_queries_does_not_grow_with_what_is_found(client, operator):
    client.force_login(operator)
    listed = next(each for each in PAGES if each.model is Transfer)
    purse, friend = wallet(1_000), member()

    def count() -> int:
        with CaptureQueriesContext(connection) as made:
            shown(client, listed, purse.member.pk)
        return len(made)

    sent(1, sender=purse, to=friend)
    before = count()
    for reference in "abcd":
        sent(1, sender=purse, to=member(), reference=reference)

    assert count() == before
