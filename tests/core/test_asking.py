"""What is asked together: the same answers as one by one, on one way, and none that a broken transaction would give."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from members.models import Tier
from paymentsite.core.asking import Question, insertion, moment, together

pytestmark = pytest.mark.django_db


def written(code: str, rank: int) -> Question:
    return insertion(Tier(code=code, name_en=code, rank=rank))


def test_answers_come_in_the_order_of_the_questions():
    found = together(
        written("one", 1),
        Question("SELECT code FROM members_tier WHERE rank = %s", [1]),
        written("two", 2),
        Question("SELECT COUNT(*), MAX(rank) FROM members_tier"),
    )

    assert found == [[], [("one",)], [], [(2, 2)]]
    assert Tier.objects.get(code="two").fx_margin_bp == 100


def test_values_of_every_kind_come_back():
    key, at = uuid4(), datetime(2026, 3, 1, 12, 30, 1, 250_000, tzinfo=UTC)
    cast = ("uuid", "timestamptz") if connection.vendor == "postgresql" else ("TEXT", "TEXT")

    ((told,),) = together(Question(f"SELECT CAST(%s AS {cast[0]}), CAST(%s AS {cast[1]}), %s", [key, at, None]))

    assert (str(told[0]).replace("-", ""), moment(told[1]), told[2]) == (key.hex, at, None)
    assert moment(None) is None


@pytest.mark.django_db(transaction=True)
def test_what_is_read_needs_no_transaction():
    assert together(Question("SELECT 1"), Question("SELECT 2")) == [[(1,)], [(2,)]]


def test_what_breaks_a_rule_is_an_error_of_the_database_and_goes_back_with_the_rest():
    with pytest.raises(IntegrityError), transaction.atomic():
        together(written("one", 1), written("one", 2))

    assert not Tier.objects.exists()
    assert together(Question("SELECT COUNT(*) FROM members_tier")) == [[(0,)]]
