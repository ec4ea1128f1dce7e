"""Verifying bank accounts: guesses are counted whatever else fails, and a name decides only where it is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.saved import bank_account, known_as
from wallets import names
from wallets.models import AccountProof, BankAccount, Instrument
from wallets.services import account_proofs
from wallets.services.account_proofs import (
    IdentityNotVerified,
    NamesChanged,
    NoDoubt,
)

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def doubt(who: Member) -> AccountProof:
    """One for staff: the account is in nearly the name that the member is known by."""
    known_as("Ada B. Lovelace", who)
    return account_proofs.match_identity(instrument=bank_account(of=who), by=SYSTEM)


@pytest.mark.parametrize(
    ("legal", "state"),
    [
        ("LOVELACE, Ada", "passed"),
        ("Ada Lovelacé", "passed"),
        ("Ada B. Lovelace", "doubtful"),
        ("Ada Lovelace Holdings", "failed"),
        ("Charles Babbage", "failed"),
        ("", "failed"),
    ],
)
def test_name_decides_only_where_it_is_the_same(legal, state):
    saved = bank_account()

    proof = account_proofs.match_name(instrument=saved, legal_name=Secret(legal), by=SYSTEM)

    assert proof.state == state
    assert Instrument.objects.get(pk=saved.pk).verified == (state == "passed")


def test_name_comes_from_the_identity_that_was_approved():
    ada = member()
    saved = bank_account(of=ada)
    with pytest.raises(IdentityNotVerified):
        account_proofs.match_identity(instrument=saved, by=SYSTEM)
    known_as("Ada Lovelace", ada)
    known_as("Countess Nobody", ada, level=3, state="submitted")

    assert account_proofs.match_identity(instrument=saved, by=SYSTEM).state == "passed"


def test_staff_decide_a_doubt_once():
    proof = doubt(member())

    account_proofs.decide(proof=proof, passed=True, by=STAFF, reason="passport seen")

    with pytest.raises(NoDoubt):
        account_proofs.decide(proof=proof, passed=False, by=STAFF, reason="changed my mind")
    assert BankAccount.objects.get().verified_by == "staff"


def test_doubt_about_another_holder_cannot_be_decided():
    ada = member()
    proof = doubt(ada)

    saved = bank_account(of=ada, holder=Secret("Charles Babbage"))

    with pytest.raises(NoDoubt):
        account_proofs.decide(proof=proof, passed=True, by=STAFF, reason="passport seen")
    assert [AccountProof.objects.get().state, saved.verified] == ["failed", False]


def test_proof_waits_on_when_the_same_holder_is_saved_again():
    ada = member()
    proof = doubt(ada)

    bank_account(of=ada, bic="COBADEFFXXX")

    assert account_proofs.decide(proof=proof, passed=True, by=STAFF, reason="seen").state == "passed"


def test_doubt_is_decided_only_by_the_names_that_raised_it():
    ada = member()
    proof = doubt(ada)
    known_as("Charles Babbage", ada, level=3)

    with pytest.raises(NamesChanged):
        account_proofs.decide(proof=proof, passed=True, by=STAFF, reason="passport seen")

    assert [AccountProof.objects.get().state, BankAccount.objects.get().verified_at] == ["doubtful", None]
    assert account_proofs.decide(proof=proof, passed=False, by=STAFF, reason="another name").state == "failed"


def test_what_did_not_doubt_cannot_be_decided():
    proof = account_proofs.match_name(instrument=bank_account(), legal_name=Secret("Nobody"), by=SYSTEM)

    with pytest.raises(NoDoubt):
        account_proofs.decide(proof=proof, passed=True, by=STAFF, reason="x")


def test_nothing_is_nobodys_name():
    assert [names.likeness("", ""), names.likeness("..", "--"), names.likeness("王伟", "王伟")] == [0, 0, 100]


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_a_percentage_the_same_both_ways(one, other):
    assert names.likeness(one, other) == names.likeness(other, one)
    assert 0 <= names.likeness(one, other) <= 100
