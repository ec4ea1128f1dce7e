"""What is done to transfers, requests, standing orders and gifts behind our back, verify finds and names."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from members.models import LimitUse
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from tests.members.factories import member
from tests.wallets.factories import asked, claimed, given, paid, sent, wallet
from tests.wallets.races import due_order
from wallets.models import FeeUse, Gift, MoneyRequest, StandingOrder, StandingRun, Transfer
from wallets.services import gift_links, standing_runs
from wallets.verify import gifts, requests, standing_orders, taken, transfers

pytestmark = pytest.mark.django_db


def build() -> None:
    """Something of everything, and a second one for each to be mistaken for."""
    purse, other = wallet(10_000), wallet(10_000)
    for number in range(2):
        sent(100 + number, sender=purse, to=other.member, reference=f"r{number}", note="rent")
        paid(asked(50 + number, of=purse.member, by=other.member, reference=f"q{number}"), purse, f"p{number}")
        claimed(given(70 + number, purse, f"g{number}"), other.member)
        given(80 + number, purse, f"open {number}")
    gift_links.cancel(gift=given(90, purse, "back").gift, sender=purse.member, by=SYSTEM)
    asked(10, of=member())
    due_order(purse.member, other.member)
    for days in (0, 1, 2, 5):
        standing_runs.carry_out(now=clock.now() + timedelta(days=days))


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Rows that all tests of this module damage, each in a savepoint of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        build()
        connection.check_constraints()
        yield
        transaction.set_rollback(True)


def run_row() -> StandingRun:
    return StandingRun.objects.filter(state="paid").earliest("pk")


def do(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def edit(model: Any, pk: Any, **fields: Any) -> None:
    model.objects.filter(pk=pk).update(**fields)


def amount_edited() -> str:
    row = Transfer.objects.get(reference="r0")
    edit(Transfer, row.pk, amount_minor=99)
    return f"transfer {row.public_id}"


def fee_edited() -> str:
    row = Transfer.objects.get(reference="r0")
    edit(Transfer, row.pk, fee_minor=1)
    return f"transfer {row.public_id}"


def receiver_edited() -> str:
    row = Transfer.objects.get(reference="r0")
    edit(Transfer, row.pk, receiver=member())
    return f"transfer {row.public_id}"


def journals_swapped() -> str:
    one, other = Transfer.objects.filter(reference__in=["r0", "r1"])
    spare = Gift.objects.filter(state="claimed").earliest("pk").journal_id
    edit(Transfer, one.pk, journal=spare)
    edit(Transfer, other.pk, journal=one.journal_id)
    return f"transfer {other.public_id}"


def transfer_deleted() -> str:
    row = Transfer.objects.get(reference="r0")
    do("DELETE FROM wallets_transfer WHERE id = %s", row.pk)
    return f"journal {row.journal_id}"


def request_amount_edited() -> str:
    row = MoneyRequest.objects.filter(state="paid").earliest("pk")
    edit(MoneyRequest, row.pk, amount_minor=1)
    return f"request {row.public_id}"


def request_paid_by_another_transfer() -> str:
    row = MoneyRequest.objects.filter(state="paid").earliest("pk")
    edit(MoneyRequest, row.pk, transfer=Transfer.objects.get(reference="r0"))
    return f"request {row.public_id}"


def request_reopened() -> str:
    row = MoneyRequest.objects.filter(state="paid").earliest("pk")
    edit(MoneyRequest, row.pk, state="open", transfer=None, ended_at=None)
    return f"transfer {row.transfer.public_id if row.transfer else ''}"


def day_uncounted() -> str:
    order = StandingOrder.objects.get()
    edit(StandingOrder, order.pk, runs_done=order.runs_done - 1)
    return f"standing order {order.public_id}"


def day_done_again() -> str:
    order = StandingOrder.objects.get()
    edit(StandingOrder, order.pk, next_on=order.starts_on)
    return f"standing order {order.public_id}"


def day_before_the_first() -> str:
    row = run_row()
    edit(StandingRun, row.pk, due_on=row.due_on - timedelta(days=100))
    return f"standing run {row.public_id}"


def run_of_another_transfer() -> str:
    row = run_row()
    edit(StandingRun, row.pk, transfer=Transfer.objects.get(reference="r0"))
    return f"standing run {row.public_id}"


def run_unpaid() -> str:
    row = run_row()
    edit(StandingRun, row.pk, state="refused", transfer=None)
    return f"transfer {row.transfer.public_id if row.transfer else ''}"


def gift_amount_edited() -> str:
    row = Gift.objects.open().earliest("pk")
    edit(Gift, row.pk, amount_minor=1)
    return f"gift {row.public_id}"


def gift_returned_on_paper() -> str:
    row = Gift.objects.open().earliest("pk")
    edit(Gift, row.pk, state="returned", ended_at=row.made_at)
    return f"gift {row.public_id}"


def gift_open_again() -> str:
    row = Gift.objects.get(state="cancelled")
    edit(Gift, row.pk, state="open", ended_at=None)
    return f"gift {row.public_id}"


def gift_of_another_sender() -> str:
    row = Gift.objects.open().earliest("pk")
    edit(Gift, row.pk, sender=member())
    return f"gift {row.public_id}"


def gift_claimed_by_another() -> str:
    row = Gift.objects.filter(state="claimed").earliest("pk")
    edit(Gift, row.pk, claimed_by=member())
    return f"gift {row.public_id}"


def gift_deleted() -> str:
    row = Gift.objects.open().earliest("pk")
    do("DELETE FROM wallets_gift WHERE id = %s", row.pk)
    return f"hold {row.hold_id}"


def of_transfer(model: Any) -> tuple[str, Any]:
    row = Transfer.objects.get(reference="r0")
    return f"transfer {row.public_id}", model.objects.get(source=row.source).pk


def limit_given_back() -> str:
    subject, use = of_transfer(LimitUse)
    edit(LimitUse, use, given_back_at=clock.now())
    return subject


def price_given_back() -> str:
    subject, use = of_transfer(FeeUse)
    edit(FeeUse, use, given_back_at=clock.now())
    return subject


def price_of_another() -> str:
    subject, use = of_transfer(FeeUse)
    edit(FeeUse, use, member=member())
    return subject


def limit_never_taken() -> str:
    subject, use = of_transfer(LimitUse)
    do("DELETE FROM members_limituse WHERE id = %s", use)
    return subject


def limit_taken_for_nothing() -> str:
    subject, use = of_transfer(LimitUse)
    del subject
    edit(LimitUse, use, source="transfer:nothing")
    return "transfer:nothing"


def gift_kept_its_limit() -> str:
    row = Gift.objects.get(state="cancelled")
    LimitUse.objects.filter(source=row.source).update(given_back_at=None)
    return f"gift {row.public_id}"


TABLE: list[tuple[str, Callable[[], str]]] = [
    ("wallets.limits_and_prices_taken", limit_given_back),
    ("wallets.limits_and_prices_taken", price_given_back),
    ("wallets.limits_and_prices_taken", price_of_another),
    ("wallets.limits_and_prices_taken", limit_never_taken),
    ("wallets.limits_and_prices_taken", limit_taken_for_nothing),
    ("wallets.limits_and_prices_taken", gift_kept_its_limit),
    ("wallets.transfer_is_its_journal", amount_edited),
    ("wallets.transfer_is_its_journal", fee_edited),
    ("wallets.transfer_is_its_journal", receiver_edited),
    ("wallets.transfer_is_its_journal", journals_swapped),
    ("wallets.journal_has_transfer", transfer_deleted),
    ("wallets.request_is_paid", request_amount_edited),
    ("wallets.request_is_paid", request_paid_by_another_transfer),
    ("wallets.payment_of_request", request_reopened),
    ("wallets.order_counts_its_days", day_uncounted),
    ("wallets.order_counts_its_days", day_done_again),
    ("wallets.run_is_due", day_before_the_first),
    ("wallets.run_is_its_transfer", run_of_another_transfer),
    ("wallets.run_is_its_transfer", run_unpaid),
    ("wallets.gift_is_held", gift_amount_edited),
    ("wallets.gift_is_held", gift_returned_on_paper),
    ("wallets.gift_is_held", gift_open_again),
    ("wallets.gift_is_held", gift_of_another_sender),
    ("wallets.gift_went_to_claimant", gift_claimed_by_another),
    ("wallets.held_for_a_gift", gift_deleted),
]


@pytest.mark.parametrize(("check", "corrupt"), TABLE, ids=lambda each: getattr(each, "__name__", each))
def test_corruption_is_found_and_named(
    standing: None, unprotected: Callable[[], AbstractContextManager[None]], check: str, corrupt: Callable[[], str]
) -> None:
    with transaction.atomic():
        with unprotected():
            subject = corrupt()
        report = verification.discover().run(only=[check])
        transaction.set_rollback(True)

    assert subject in {finding.subject for finding in report.findings}


def test_what_stands_is_clean(standing: None) -> None:
    report = verification.discover().run(only=[check for check, _ in TABLE])

    assert report.findings == []


@pytest.mark.parametrize("module", [gifts, requests, standing_orders, taken, transfers], ids=lambda each: each.__name__)
def test_each_check_has_a_corruption(module: Any) -> None:
    checks = verification.discover().checks.values()
    ours = {check.name for check in checks if check.work.__module__ == module.__name__}

    assert ours
    assert ours <= {check for check, _ in TABLE}
