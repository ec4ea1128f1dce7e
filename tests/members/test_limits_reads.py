"""Taking of limits: how much is asked of the database, however much was taken before."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import LimitUse, Member
from tests.members.limiting import cap, moment, someone, take, used

pytestmark = pytest.mark.django_db


def fill(member: Member, count: int) -> None:
    """As if the member had taken ``count`` times this year."""
    start = moment("2026-01-01 00:00")
    LimitUse.objects.bulk_create(
        (
            LimitUse(
                member=member,
                source=f"payment:{number}",
                kind="payment",
                currency="CNY",
                amount_minor=1,
                at=start + timedelta(minutes=4 * number),
                zone=member.time_zone,
                kind_minor=number,
                kind_count=number,
                joint_minor=number,
                joint_count=number,
                judged=[],
            )
            for number in range(1, count + 1)
        ),
        batch_size=500,
    )


def plans(queries: list[dict[str, str]]) -> str:
    told = []
    with connection.cursor() as cursor:
        for query in queries:
            if "members_limituse" in query["sql"] and query["sql"].lstrip().startswith("SELECT"):
                explain = "EXPLAIN (COSTS OFF)" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
                cursor.execute(f"{explain} {query['sql'].replace('%', '%%')}")
                told += [str(row[-1]) for row in cursor.fetchall()]
    return "\n".join(told)


def test_taking_asks_as_often_and_reads_by_index_however_much_was_taken():
    ada, bob = someone(), someone()
    for period in ("day", "week", "month", "year"):
        cap(10**9, period=period)
        cap(10**9, kind="transfer", period=period)
    fill(ada, 20_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_limituse")

    def asked(member: Member, source: str) -> list[dict[str, str]]:
        take(member, 1, f"{source}:0")
        with CaptureQueriesContext(connection) as made:
            take(member, 1, f"{source}:1")
        return made.captured_queries

    few, many = asked(bob, "transfer:b"), asked(ada, "transfer:a")

    assert len(many) == len(few) <= 13
    plan = plans(many)
    assert "Seq Scan on members_limituse" not in plan
    assert "SCAN members_limituse" not in plan
    assert used(ada)["any.amount.year"] == 20_002
