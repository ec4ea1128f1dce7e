"""The races of transfers again, each against the bug that it is there to find."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection

from members.models import Member
from members.models.members import MemberQuerySet
from paymentsite.ledger import rules
from paymentsite.ledger.models import Balance
from paymentsite.ledger.store import wording
from tests.wallets import races
from wallets.models import MoneyRequest, Transfer
from wallets.services import gift_links, requests

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 30


def turns_red(race: Callable[..., None], *arguments: Any, **facts: Any) -> None:
    """The race fails by what it asserts, at the latest in the last of several rounds."""

    def rounds() -> None:
        for _ in range(ROUNDS):
            race(*arguments, **facts)

    with pytest.raises(AssertionError):
        rounds()


@pytest.fixture
def unlocked(monkeypatch) -> None:
    """Members are read as they stand, and nobody is kept from reading them at the same time."""

    def look(members: MemberQuerySet, pk: int) -> Member:
        return members.get(pk=pk)

    def look_at_all(members: MemberQuerySet, pks: Iterable[int]) -> dict[int, Member]:
        return members.in_bulk(set(pks))

    monkeypatch.setattr(MemberQuerySet, "lock", look)
    monkeypatch.setattr(MemberQuerySet, "lock_all", look_at_all)


@pytest.fixture
def disordered(monkeypatch) -> None:
    """Members are locked in the order in which they are named: the sender first."""

    def lock_as_named(members: MemberQuerySet, pks: Iterable[int]) -> dict[int, Member]:
        return {pk: members.lock(pk) for pk in pks}

    monkeypatch.setattr(MemberQuerySet, "lock_all", lock_as_named)


@pytest.fixture
def floorless(monkeypatch, unprotected) -> Any:
    """A wallet may be overdrawn: neither the database, nor the statement, nor the rules mind."""
    [floor] = [each for each in Balance._meta.constraints if each.name == "ledger_balance_floor"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Balance, floor)
    monkeypatch.setattr(wording, "_ABOVE_FLOOR", wording._ABOVE_FLOOR.replace("floor_minor IS NULL OR", "true OR"))
    monkeypatch.setattr(rules, "_check_balances", lambda _page: None)
    wording.statement.cache_clear()
    yield
    monkeypatch.undo()
    wording.statement.cache_clear()
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_journal, ledger_account CASCADE")
    with connection.schema_editor() as editor:
        editor.add_constraint(Balance, floor)


@pytest.mark.usefixtures("floorless")
def test_money_without_a_floor_is_spent_again(together):
    turns_red(races.money_for_some, together, 8)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    "race",
    [
        races.one_reference,
        races.one_request,
        races.one_gift,
        races.gift_or_return,
        races.one_due_day,
        races.leaving_or_receiving,
    ],
    ids=lambda race: race.__name__,
)
def test_without_a_lock_on_the_members_they_are_fought_for(together, race):
    turns_red(race, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_request_without_locks_and_constraint_is_paid_twice(together, monkeypatch):
    [once] = [each for each in Transfer._meta.constraints if each.name == "wallets_transfer_occasion_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Transfer, once)
    # Nor is it asked whether it was still open.
    monkeypatch.setattr(
        requests,
        "_end",
        lambda request, state, transfer=None: MoneyRequest.objects.filter(pk=request.pk).update(
            state=state, transfer=transfer, ended_at=request.asked_at
        ),
    )
    try:
        turns_red(races.one_request, together, 8)
    finally:
        Transfer.objects.all()
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("TRUNCATE wallets_transfer CASCADE")
            cursor.execute("SET session_replication_role = origin")
        with connection.schema_editor() as editor:
            editor.add_constraint(Transfer, once)


def test_gift_that_is_never_looked_at_again_is_fought_for(together, monkeypatch):
    """Only the hold in the books then keeps it from going out twice."""
    monkeypatch.setattr(gift_links, "_check_open", lambda _gift, _now: None)

    turns_red(races.one_gift, together, 8)


@pytest.mark.usefixtures("disordered")
def test_members_locked_out_of_order_wait_for_each_other(together):
    turns_red(races.crossing, together, 8, acts=8)
