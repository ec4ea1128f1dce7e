"""Whatever is done to limits behind the services' backs, verify finds it and names the row."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from members.models import Limit, LimitUse
from members.services import limits
from members.services.limits import Kind, LimitExceeded
from paymentsite.core import verification
from tests.members.limiting import NOON, cap, someone, take, used

pytestmark = pytest.mark.django_db

CHECKS = ["members.limits_apart", "members.limit_source_once", "members.limit_totals", "members.uses_within_limits"]


@pytest.fixture
def uses() -> list[LimitUse]:
    ada = someone()
    cap(100)
    cap(3, measure="count", period="week")
    cap(60, kind="transfer", period="act")
    for number, (minor, kind) in enumerate([(60, Kind.TRANSFER), (30, Kind.CARD), (10, Kind.TRANSFER)]):
        take(ada, minor, f"act:{number}", kind=kind, now=NOON + timedelta(minutes=number))
    take(someone(), 60, "act:3")
    return list(LimitUse.objects.order_by("pk"))


def found(check: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[check]).findings}


def test_what_services_do_is_clean(uses):
    LimitUse.objects.filter(pk=uses[1].pk).update(given_back_at=NOON)
    take(uses[0].member, 30, "act:4", kind=Kind.CARD, now=NOON + timedelta(minutes=9))

    assert verification.discover().run(only=CHECKS).findings == []


def again(use: LimitUse, *, back: datetime, now: datetime) -> None:
    with transaction.atomic():
        limits.give_back(source=use.source, now=back)
        limits.count_again(source=use.source, now=now)


def test_room_taken_while_a_use_did_not_count_is_clean(uses):
    ada = uses[0].member
    limits.give_back(source="act:1", now=NOON + timedelta(minutes=9))
    take(ada, 30, "act:4", kind=Kind.CARD, now=NOON + timedelta(minutes=10))

    with transaction.atomic():
        assert limits.count_again(source="act:1", now=NOON + timedelta(minutes=11))

    assert used(ada, NOON + timedelta(minutes=12))["any.amount.day"] == 130
    assert verification.discover().run(only=CHECKS).findings == []
    with pytest.raises(LimitExceeded):
        take(ada, 1, "act:5", now=NOON + timedelta(minutes=12))


def test_counting_again_what_was_never_given_back_does_nothing(uses):
    with transaction.atomic():
        told = [limits.count_again(source=source, now=NOON) for source in ("act:1", "act:99")]

    assert told == [False, False]
    assert LimitUse.objects.filter(counted_again_at=None).count() == 4


@pytest.mark.parametrize("minutes", [-30, 30])
def test_use_beyond_its_limits_before_or_after_another_did_not_count_is_found(uses, unprotected, minutes):
    with unprotected(), connection.cursor() as cursor:
        limit = Limit.objects.get(measure="amount", kind="any")
        moment = uses[2].at + timedelta(minutes=minutes)
        again(uses[1], back=moment - timedelta(minutes=5), now=moment)
        cursor.execute("UPDATE members_limit SET cap = 99 WHERE id = %s", [limit.pk])
        assert found("members.uses_within_limits") == {f"use of limits {uses[2].pk}"}


@pytest.mark.parametrize(
    ("check", "edit"),
    [
        ("members.limit_totals", "kind_minor = kind_minor + 1, joint_minor = joint_minor + 1"),
        ("members.limit_totals", "joint_count = joint_count + 1"),
        ("members.limit_totals", "at = '2020-01-01 00:00:00+00:00'"),
        ("members.uses_within_limits", "amount_minor = 11"),
        ("members.uses_within_limits", "judged = '[]'"),
        ("members.uses_within_limits", "judged = '[[999999, null]]'"),
        ("members.uses_within_limits", "currency = 'EUR'"),
    ],
)
def test_edited_use_is_found(uses, unprotected, check, edit):
    with unprotected(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE members_limituse SET {edit} WHERE id = %s", [uses[2].pk])  # noqa: S608  ours
        assert f"use of limits {uses[2].pk}" in found(check)


def test_deleted_use_is_found_by_the_next(uses, unprotected):
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM members_limituse WHERE id = %s", [uses[1].pk])
        assert found("members.limit_totals") == {f"use of limits {uses[2].pk}"}


def test_cap_that_was_lowered_in_secret_is_found(uses, unprotected):
    limit = Limit.objects.get(measure="amount", kind="any")
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("UPDATE members_limit SET cap = 99 WHERE id = %s", [limit.pk])
        assert found("members.uses_within_limits") == {f"use of limits {uses[2].pk}"}


def test_limits_in_force_at_once_are_found(uses):
    with transaction.atomic():
        first = Limit.objects.get(measure="amount", kind="any")
        second = cap(999, ends_at=NOON)

        assert found("members.limits_apart") == {f"limit {max(first.pk, second.pk)}"}


if connection.vendor == "postgresql":  # SQLite cannot lose what keeps a column unique

    def test_source_that_took_twice_is_found(uses, unprotected):
        connection.check_constraints()
        with connection.cursor() as cursor:
            for name, found_one in connection.introspection.get_constraints(cursor, "members_limituse").items():
                if found_one["unique"] and found_one["columns"] == ["source"]:
                    cursor.execute(f"ALTER TABLE members_limituse DROP CONSTRAINT {name}")
        with unprotected(), connection.cursor() as cursor:
            cursor.execute("UPDATE members_limituse SET source = 'act:0' WHERE id = %s", [uses[1].pk])
            assert found("members.limit_source_once") == {"source act:0"}
