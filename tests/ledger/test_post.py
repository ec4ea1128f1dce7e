"""Moves: what is refused, what a repetition finds, what is left behind."""

import pytest

from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.refusals import InsufficientFunds, ReferenceConflict

pytestmark = pytest.mark.django_db


def cny(minor):
    return Money(minor, "CNY")


@pytest.fixture
def purse():
    return ledger.open_account(owner="test:a", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)


@pytest.fixture
def other():
    return ledger.open_account(owner="test:b", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)


@pytest.fixture
def world():
    return ledger.house("cash", "CNY")


def test_move_leaves_what_it_says(purse, other, world):
    first = ledger.post(ledger.Move(cny(100), world, purse), reference="1")
    second = ledger.post(ledger.Move(cny(30), purse, other), ledger.Move(cny(20), purse, world), reference="2")

    assert first.balances == {purse.pk: 100}
    assert second.balances == {purse.pk: 50, other.pk: 30}
    assert [
        (p.source_seq, p.source_balance_minor, p.target_seq, p.target_balance_minor)
        for p in Journal.objects.get(reference="2").postings.order_by("position")
    ] == [(2, 70, 1, 30), (3, 50, None, None)]
    assert ledger.post(ledger.Move(cny(100), world, purse), reference="1") == first
    with pytest.raises(ReferenceConflict) as conflict:
        ledger.post(ledger.Move(cny(101), world, purse), reference="1")
    assert conflict.value.facts["fields"] == ["entries[1].amount"]
    with pytest.raises(InsufficientFunds) as refusal:
        ledger.post(ledger.Move(cny(51), purse, world), reference="3")
    assert str(refusal.value) == "0.50 CNY available, 0.51 CNY asked for: 0.01 CNY short."
    ledger.post(ledger.Move(cny(1), other, purse), reference="4")
    with pytest.raises(InsufficientFunds):
        ledger.post(ledger.Move(cny(51), purse, world), reference="3")
    many = ledger.post_many([ledger.Draft(entries=(ledger.Move(cny(10), purse, other),), reference=f"m{i}") for i in range(30)])
    assert [isinstance(x, ledger.Posted) for x in many] == [True]*5+[False]*25
