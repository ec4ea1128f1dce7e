"""Limits are set by two people, lowered by one, and never edited."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import DatabaseError, transaction

from members.models import Limit, Member, User
from members.services import limit_rules, limits
from members.services.limit_rules import InvalidLimit, LimitNotInForce, LimitNotLower
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from tests.members.limiting import NOON, cap, someone

pytestmark = pytest.mark.django_db

SORT = {"kind": "any", "currency": "CNY", "measure": "amount", "period": "day"}


def staff(name: str) -> Actor:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["set_limits", "approve_limits"]))
    return Actor.of(user)


@pytest.fixture
def ann() -> Actor:
    return staff("ann")


@pytest.fixture
def bob() -> Actor:
    return staff("bob")


def approve(proposal: Approval, by: Actor) -> None:
    approvals.approve(approval=proposal, by=by, shown=proposal.shown)


def caps(member: Member, now) -> list[int]:
    return [each.cap for each in limits.left(member, now)]


def history() -> list[tuple[int, object, object]]:
    return list(Limit.objects.order_by("starts_at", "pk").values_list("cap", "starts_at", "ends_at"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gift"},
        {"currency": "PTS"},
        {"currency": "XYZ"},
        {"measure": "balance"},
        {"period": "always"},
        {"period": "hour"},
        {"measure": "count", "period": "act"},
        {"measure": "balance", "period": "always", "kind": "transfer"},
        {"cap": -1},
        {"cap": 10**15 + 1},
        {"level": 4},
        {"ends_at": NOON - timedelta(days=9)},
        {"reason": "x" * 256},
    ],
)
def test_limit_that_cannot_be_is_not_even_proposed(ann, wrong):
    with clock.standing(NOON), pytest.raises(InvalidLimit):
        limit_rules.propose(**{**SORT, "cap": 1, "by": ann, "reason": "asked", **wrong})
    assert not Approval.objects.exists()


def test_limit_of_a_member_and_a_level_at_once_is_refused(ann):
    with pytest.raises(InvalidLimit):
        limit_rules.propose(**SORT, cap=1, member=someone(), level=1, by=ann, reason="asked")


@pytest.mark.attack
def test_nobody_adds_or_raises_a_limit_alone(ann, bob):
    ada = someone()
    cap(100)

    proposal = limit_rules.propose(**SORT, cap=1_000, member=ada, by=ann, reason="asked")
    assert caps(ada, clock.now()) == [100]
    with pytest.raises(approvals.OwnProposal):
        approve(proposal, ann)
    approve(proposal, bob)

    assert caps(ada, clock.now()) == [1_000]
    assert caps(someone(), clock.now()) == [100]


def test_new_limit_ends_the_one_like_it_and_history_stays(ann, bob):
    old = cap(100)

    with clock.standing(NOON):
        approve(limit_rules.propose(**SORT, cap=200, by=ann, reason="asked"), bob)

    assert history() == [(100, old.starts_at, NOON), (200, NOON, None)]


def test_limit_for_a_time_gives_way_to_the_one_before_afterwards(ann, bob):
    ada, old, until = someone(), cap(100), NOON + timedelta(days=7)

    with clock.standing(NOON):
        approve(limit_rules.propose(**SORT, cap=900, ends_at=until, by=ann, reason="travels"), bob)

    assert history() == [(100, old.starts_at, NOON), (900, NOON, until), (100, until, None)]
    assert (caps(ada, NOON), caps(ada, until)) == ([900], [100])


def test_limit_never_starts_before_it_is_approved(ann, bob):
    cap(100)
    with clock.standing(NOON - timedelta(days=1)):
        proposal = limit_rules.propose(**SORT, cap=200, starts_at=NOON - timedelta(hours=1), by=ann, reason="asked")
    with clock.standing(NOON):
        approve(proposal, bob)

    assert [starts for each, starts, _ in history() if each == 200] == [NOON]


def test_scheduled_limit_that_is_replaced_before_it_begins_never_holds(ann, bob):
    ada, later = someone(), NOON + timedelta(days=1)
    with clock.standing(NOON):
        approve(limit_rules.propose(**SORT, cap=200, starts_at=later, by=ann, reason="asked"), bob)
        approve(limit_rules.propose(**SORT, cap=300, by=ann, reason="asked"), bob)

    assert history() == [(300, NOON, None), (200, later, later)]
    assert caps(ada, later) == [300]


def test_lowering_is_done_at_once_and_on_the_trail(ann):
    ada, old = someone(), cap(100)

    with clock.standing(NOON):
        new = limit_rules.lower(limit=old, cap=99, by=ann, reason="fraud")

    assert (caps(ada, NOON), new.set_by, new.reason) == ([99], str(ann), "fraud")
    entry = AuditEntry.objects.get(act="limit.lowered")
    assert (entry.before["cap"], entry.after["cap"]) == (
        {"amount": 100, "currency": "CNY"},
        {"amount": 99, "currency": "CNY"},
    )


@pytest.mark.attack
@pytest.mark.parametrize("minor", [100, 101, 10**15])
def test_lowering_never_raises(ann, minor):
    old = cap(100)

    with pytest.raises(LimitNotLower):
        limit_rules.lower(limit=old, cap=minor, by=ann, reason="fraud")
    assert Limit.objects.count() == 1


def test_limit_that_was_replaced_can_no_longer_be_lowered(ann):
    old = cap(100)
    limit_rules.lower(limit=old, cap=50, by=ann, reason="fraud")

    with pytest.raises(LimitNotInForce):
        limit_rules.lower(limit=old, cap=99, by=ann, reason="fraud")


def test_limit_ends_when_a_second_person_says_so(ann, bob):
    ada, old = someone(), cap(100)
    with clock.standing(NOON):
        approve(limit_rules.end(limit=old, by=ann, reason="over"), bob)

    assert caps(ada, NOON) == []


def test_database_refuses_to_edit_a_limit():
    old = cap(100)

    with pytest.raises(DatabaseError), transaction.atomic():
        Limit.objects.filter(pk=old.pk).update(cap=1_000)


def test_new_site_has_limits_to_begin_with_and_keeps_what_operators_set(capsys):
    cap(1, currency="EUR", level=0)

    call_command("default_limits")
    call_command("default_limits")

    assert capsys.readouterr().out == "72 limits set.\nNothing to do: limits are set in each currency.\n"
    assert Limit.objects.filter(currency="EUR").count() == 1
    ada = someone(level=0)
    told = {each.limit.name: each.cap for each in limits.left(ada, clock.now()) if each.currency == "JPY"}
    assert told == {
        "any.balance": 100_000,
        "any.amount.day": 50_000,
        "any.amount.month": 200_000,
        "any.amount.year": 1_000_000,
        "withdrawal.amount.act": 0,
        "transfer.count.day": 10,
    }
