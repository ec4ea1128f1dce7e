"""Whatever is done to fees behind the services' backs, verify finds it and names the row."""

import pytest
from django.db import connection, transaction

from paymentsite.core import verification
from paymentsite.core.ids import EPOCH
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import NOON, tier
from tests.terms import told
from wallets.models import FeeRule, FeeUse
from wallets.services import fees
from wallets.services.fees import Kind

pytestmark = pytest.mark.django_db

CHECKS = ["wallets.fee_rules_apart", "wallets.fee_source_once", "wallets.fee_is_its_steps"]


@pytest.fixture
def uses() -> list[FeeUse]:
    tier("free", rank=0, free_withdrawals=1)
    ada = member()
    for kind in (Kind.WITHDRAWAL, Kind.TOP_UP):
        told(FeeRule.objects.create(kind=kind, currency="CNY", fixed_minor=100, starts_at=EPOCH, set_by="test:1"))
    for number, kind in enumerate([Kind.WITHDRAWAL, Kind.WITHDRAWAL, Kind.TOP_UP]):
        with transaction.atomic():
            quote = fees.quote(member=ada, kind=kind, amount=cny(500), now=NOON)
            fees.take(quote=quote, source=f"act:{number}", now=NOON)
    return list(FeeUse.objects.order_by("pk"))


def found(check: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[check]).findings}


def test_what_services_do_is_clean(uses):
    assert verification.discover().run(only=CHECKS).findings == []


@pytest.mark.parametrize("edit", ["fee_minor = 99", "lines = '[]'", "amount_minor = 99"])
def test_edited_price_is_found(uses, unprotected, edit):
    with unprotected(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE wallets_feeuse SET {edit} WHERE id = %s", [uses[2].pk])  # noqa: S608  ours
        assert found("wallets.fee_is_its_steps") == {f"fee taken {uses[2].pk}"}


def test_rules_in_force_at_once_are_found(uses):
    again = told(
        FeeRule.objects.create(
            kind="withdrawal", currency="CNY", starts_at=EPOCH, ends_at=NOON, set_by="test:1", fixed_minor=1
        )
    )

    assert found("wallets.fee_rules_apart") == {f"fee rule {again.pk}"}


def test_free_one_that_was_used_twice_is_found(uses, unprotected):
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("DROP INDEX wallets_feeuse_free_once")
        cursor.execute(
            "UPDATE wallets_feeuse SET free = true, free_number = 1, free_allowed = 1, fee_minor = 0 WHERE id = %s",
            [uses[1].pk],
        )
        assert found("wallets.fee_source_once") == {f"member {uses[0].member_id}"}
