"""The races again, each against the bug that it is there to find: if one stays green here, it proves nothing there."""

import pytest
from django.db import transaction

from paymentsite.core import acts
from paymentsite.ledger.book import BalanceState
from paymentsite.ledger.models import Account, Balance, Journal
from paymentsite.ledger.services import recording, seals
from paymentsite.ledger.store import postgres, wording
from tests.ledger import races, races_of_parts
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def balances_unlocked(reworded, monkeypatch) -> None:
    """Balances are read as they stand, and nobody is kept from reading them at the same time."""
    lock = postgres.PostgresStore.lock

    def look(store: postgres.PostgresStore, ids: list[int], **_: bool) -> list[BalanceState]:
        return lock(store, ids, strict=False)

    reworded(wording, "_LOCKED", " FOR UPDATE", "")
    monkeypatch.setattr(postgres.PostgresStore, "lock", look)


@pytest.fixture
def unguarded(balances_unlocked, without) -> None:
    without(Balance, "ledger_balance_floor")


@pytest.fixture
def disordered(reworded) -> None:
    reworded(wording, "_LOCKED", "ORDER BY account_id", "ORDER BY random()")
    reworded(postgres, "_BALANCES", "ORDER BY account_id", "ORDER BY random()")


@pytest.mark.usefixtures("floorless")
@pytest.mark.parametrize("hot_target", [True, False])
def test_last_money_without_a_floor_is_spent_again(threads, hot_target):
    turns_red(races.last_money, threads, 2, hot_target=hot_target)


@pytest.mark.usefixtures("balances_unlocked")
@pytest.mark.parametrize("hot_target", [True, False])
def test_last_money_without_locks_is_fought_for(threads, hot_target):
    turns_red(races.last_money, threads, 8, hot_target=hot_target)


@pytest.mark.usefixtures("unguarded")
def test_last_money_without_locks_and_constraint_is_spent_again(threads):
    turns_red(races.last_money, threads, 8, hot_target=True)


def test_reference_without_its_conflict_clause_is_no_answer(threads, reworded):
    reworded(wording, "_JOURNAL", "ON CONFLICT (scope, reference) DO NOTHING", "")

    turns_red(races.one_reference, threads, 8)


@pytest.mark.parametrize("race", [races.one_reference, races.one_reference_of_many_meanings])
def test_reference_that_is_not_unique_is_done_again(threads, reworded, without, race):
    without(Journal, "ledger_journal_once")
    reworded(wording, "_JOURNAL", "ON CONFLICT (scope, reference) DO NOTHING", "")

    turns_red(race, threads, 8)


def test_refusal_that_is_not_stored_is_not_final(threads, monkeypatch):
    monkeypatch.setattr(recording, "keep", lambda _slip, _refusal: True)

    turns_red(races.one_refusal, threads, 2)


@pytest.mark.usefixtures("balances_unlocked")
@pytest.mark.parametrize("expires", [True, False])
def test_whole_hold_without_locks_ends_twice(threads, expires):
    turns_red(races_of_parts.whole_hold, threads, 8, expires=expires)


@pytest.mark.usefixtures("balances_unlocked")
@pytest.mark.parametrize("race", [races_of_parts.parts_of_a_hold, races_of_parts.captures_and_release])
def test_parts_of_a_hold_without_locks_do_not_add_up(threads, race):
    turns_red(race, threads, 8)


@pytest.mark.parametrize("minor", [None, 60])
def test_reversals_without_a_lock_on_the_journal_exceed_it(threads, monkeypatch, minor):
    monkeypatch.setattr(postgres.PostgresStore, "lock_journals", lambda _self, _ids: None)

    turns_red(races_of_parts.reversals, threads, 8, deferred=True, minor=minor)


@pytest.mark.usefixtures("disordered")
@pytest.mark.parametrize("way", ["post", "post_many"])
def test_locks_out_of_order_wait_for_each_other(threads, way):
    turns_red(races.shuttles, threads, 8, accounts=2, acts=5, ways=(way,))


@pytest.mark.usefixtures("balances_unlocked")
@pytest.mark.parametrize("race", [races_of_parts.last_points, races_of_parts.same_day])
def test_points_without_locks_do_not_add_up(threads, race):
    turns_red(race, threads, 8)


def test_account_that_is_not_unique_is_opened_twice(threads, without):
    without(Account, "ledger_account_once")

    turns_red(races.opening, threads, 8)


@pytest.mark.usefixtures("balances_unlocked")
def test_freeze_without_locks_is_walked_past(threads):
    turns_red(races.freeze, threads, 8)


@pytest.mark.usefixtures("unguarded")
def test_floor_without_locks_and_constraint_is_walked_past(threads):
    turns_red(races.floor, threads, 8)


@pytest.mark.usefixtures("balances_unlocked")
def test_batches_without_locks_and_unique_references_do_things_twice(threads, reworded, without):
    without(Journal, "ledger_journal_once")
    reworded(wording, "_JOURNAL", "ON CONFLICT (scope, reference) DO NOTHING", "")

    turns_red(races.batches, threads, 8)


@pytest.mark.usefixtures("quick_to_see_deadlocks")
def test_crossing_acts_that_are_tried_once_are_heard_of(threads, monkeypatch):
    monkeypatch.setattr(acts, "TRIES", 1)

    turns_red(races.crossing_acts, threads, 8, acts=2)


@pytest.mark.usefixtures("quick_to_see_deadlocks")
def test_crossing_acts_that_do_not_queue_are_heard_of(threads, monkeypatch):
    monkeypatch.setattr(acts, "_queue", lambda: None)

    turns_red(races.crossing_acts, threads, 32, acts=2)


def test_sealers_that_do_not_keep_each_other_out_are_heard_of(threads, monkeypatch):
    monkeypatch.setattr(seals, "_closing", lambda: True)
    # Nor look at one view: that alone would have the later one of two begin again.
    monkeypatch.setattr(seals, "_on_one_view", lambda work: transaction.atomic(work)())

    turns_red(races.sealing, threads, 8, acts=5)
