"""Account numbers under many hands at once; and each race turns red with the bug that it is there to find."""

import pytest
from django.db.models import QuerySet

from cards.models import AccountRange, BankCredit, VirtualAccount
from cards.services import bank_bookings
from paymentsite.core import clock, verification
from paymentsite.core.ids import uuid7
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from tests import tables
from tests.cards import account_races as races
from tests.cards.banking import permanent
from tests.planting import turns_red
from tests.wallets.factories import wallet

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RACES = [
    races.one_bank_reference,
    races.one_bank_reference_to_nobody,
    races.one_reference_for_two_members,
    races.credits_to_one_purpose,
    races.assigned_or_returned,
    races.one_state,
    races.one_permanent,
    races.last_numbers,
    races.room_of_one,
]


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_exactly_what_is_allowed_happens(together, race, count):
    race(together, count)


def read_without_locking(model, monkeypatch):
    """Rows of ``model`` are read as they stand, beside everybody else."""
    locked = QuerySet.select_for_update

    def look(rows, *args, **options):
        return rows if rows.model is model else locked(rows, *args, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", look)


@pytest.fixture
def credits_have_any_id(monkeypatch):
    """What a bank calls a credit says nothing of its id, so that the ledger does not know it again."""
    monkeypatch.setattr(bank_bookings, "id_of", lambda _bank, _reference: uuid7(clock.now()))


@pytest.fixture
def credits_are_not_unique(without):
    without(BankCredit, "cards_bankcredit_once")


@pytest.fixture
def decisions_do_not_wait(monkeypatch):
    """Who decides about a credit reads it beside everybody else."""
    read_without_locking(BankCredit, monkeypatch)


@pytest.fixture
def decisions_are_posted_anew(monkeypatch):
    """The ledger does not know that what is assigned cannot be returned."""

    def anew(credit, target, *, kind, by):
        move = ledger.Move(credit.set_aside, bank_bookings.suspense(credit.currency), target)
        reference = str(uuid7(clock.now()))
        return ledger.post(move, kind=kind, scope="test", reference=reference, source=credit.source, by=by).journal_id

    monkeypatch.setattr(bank_bookings, "_settled", anew)


@pytest.fixture
def wallets_are_not_locked(monkeypatch):
    """That a wallet takes something says nothing of what comes to it at the same moment."""
    read_without_locking(Balance, monkeypatch)


@pytest.fixture
def range_is_not_locked(monkeypatch):
    """Who draws a number reads how many are given beside everybody else."""
    read_without_locking(AccountRange, monkeypatch)


@pytest.mark.usefixtures("credits_have_any_id", "unlocked", "credits_are_not_unique")
def test_without_lock_id_and_constraint_one_credit_is_booked_again(together):
    turns_red(races.one_bank_reference, together, 8)
    assert BankCredit.objects.count() > 1


@pytest.mark.usefixtures("credits_have_any_id", "credits_are_not_unique")
def test_credit_to_nobody_that_the_ledger_does_not_know_again_is_booked_again(together):
    turns_red(races.one_bank_reference_to_nobody, together, 8)
    assert BankCredit.objects.count() > 1


@pytest.mark.usefixtures("credits_have_any_id", "credits_are_not_unique")
def test_reference_that_the_ledger_does_not_know_again_pays_two_members(together):
    turns_red(races.one_reference_for_two_members, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_without_a_lock_a_purpose_takes_more_than_is_expected(together):
    turns_red(races.credits_to_one_purpose, together, 8)


@pytest.mark.usefixtures("unlocked", "wallets_are_not_locked")
def test_without_a_lock_more_comes_than_there_is_room_for(together):
    turns_red(races.room_of_one, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_without_a_lock_states_overtake_each_other(together):
    turns_red(races.one_state, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_without_a_lock_more_than_one_for_good_is_asked_for(together):
    turns_red(races.one_permanent, together, 8)


@pytest.mark.usefixtures("unlocked", "decisions_do_not_wait", "decisions_are_posted_anew")
def test_without_a_lock_a_credit_is_assigned_and_returned(together):
    turns_red(races.assigned_or_returned, together, 8)


@pytest.mark.usefixtures("range_is_not_locked")
def test_range_that_is_not_locked_gives_one_number_twice_or_fails(together):
    turns_red(races.last_numbers, together, 8)


def test_number_that_two_accounts_have_is_found(without):
    tables.empty()
    first, second = permanent(wallet()), permanent(wallet())
    without(VirtualAccount, "cards_account_number_once")
    with tables.unprotected():
        VirtualAccount.objects.filter(pk=second.pk).update(number=first.number)

    found = verification.discover().run(only=["cards.account_numbers_right"]).findings

    assert {each.subject for each in found} == {f"virtual account {each.pk}" for each in (first, second)}
