"""A refusal is final for its reference, whatever becomes of the act around it."""

from collections.abc import Callable

import pytest

from paymentsite.core.acts import act
from paymentsite.core.errors import DomainError, Refused
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Entry, Posted
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.refusals import (
    InsufficientFunds,
    ReferenceConflict,
)
from paymentsite.ledger.services import (
    Move,
    Place,
)
from tests.factories import cny, fund, hot, purse
from tests.ledger.refusing import assert_only_the_refusal, either_way, refused, singly

pytestmark = pytest.mark.django_db


class Declined(Refused):
    code = "test_declined"
    sentence = "Not this one."


@either_way
def test_refusal_is_final_though_funds_arrive(ask):
    source, target = purse(), purse()
    first = ask(Move(cny(10), source, target))
    fund(source, 100)

    assert refused(ask(Move(cny(10), source, target))) == refused(first)
    assert isinstance(ask(Move(cny(10), source, target), reference="another"), Posted)


@either_way
def test_refused_reference_cannot_be_used_for_something_else(ask):
    source, target = purse(), purse()
    ask(Move(cny(10), source, target))
    fund(source, 100)

    assert refused(ask(Move(cny(9), source, target))) == (
        ReferenceConflict,
        {"reference": "r", "fields": ["entries[1].amount"]},
    )


def within(depth: int, work: Callable[[], Posted]) -> Callable[[], Posted]:
    """``work`` inside so many acts of a caller's, each of which had done something else before."""
    for level in range(depth):
        work = _busy_act(work, f"other {level}")
    return work


def _busy_act(work: Callable[[], Posted], reference: str) -> Callable[[], Posted]:
    other = purse(5)

    @act
    def service() -> Posted:
        ledger.post(Move(cny(1), other, hot()), reference=reference)
        return work()

    return service


def one_move(source: Account) -> list[Entry]:
    return [Move(cny(10), source, purse())]


def one_hold(source: Account) -> list[Entry]:
    return [Place(cny(10), source)]


def many_moves(source: Account) -> list[Entry]:
    """More than the one statement carries."""
    return [Move(cny(2), source, purse())] * 9


all_sorts = pytest.mark.parametrize("sort", [one_move, one_hold, many_moves], ids=lambda sort: sort.__name__)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@all_sorts
def test_refusal_outlives_the_acts_that_it_undoes(sort, depth, book):
    source = purse()
    entries = sort(source)
    service = within(depth, lambda: ledger.post(*entries, reference="r"))
    before = book()

    with pytest.raises(InsufficientFunds) as first:
        service()

    assert_only_the_refusal(before, book())
    fund(source, 100)
    with pytest.raises(InsufficientFunds) as second:
        service()
    assert second.value.facts == first.value.facts


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("depth", [1, 2])
@all_sorts
def test_refusal_outlives_an_act_that_met_it_twice(sort, depth):
    source = purse()
    entries = sort(source)

    def met_twice() -> Posted:
        with pytest.raises(InsufficientFunds):
            ledger.post(*entries, reference="r")
        return ledger.post(*entries, reference="r")

    with pytest.raises(InsufficientFunds):
        within(depth, met_twice)()

    assert Journal.objects.refused().filter(reference="r").count() == 1
    fund(source, 100)
    with pytest.raises(InsufficientFunds):
        ledger.post(*entries, reference="r")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("depth", [1, 2])
def test_refusal_from_before_passes_through_an_act_unchanged(depth, book):
    source, target = purse(), purse()
    first = singly(Move(cny(10), source, target))
    service = within(depth, lambda: ledger.post(Move(cny(10), source, target), reference="r"))
    before = book()

    with pytest.raises(InsufficientFunds) as again:
        service()

    assert again.value.facts == refused(first)[1]
    assert book() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("depth", [1, 2])
def test_act_that_gives_up_leaves_nothing_and_its_references_free(depth, book):
    source, target = purse(100), purse()

    def give_up() -> Posted:
        ledger.post(Move(cny(10), source, target), reference="r")
        raise Declined

    service = within(depth, give_up)
    before = book()

    with pytest.raises(Declined):
        service()

    assert book() == before
    assert not ledger.post(Move(cny(20), source, target), reference="r").replayed


@pytest.mark.django_db(transaction=True)
def test_refusal_that_an_act_heeds_is_kept_with_the_act():
    source, target, other = purse(), purse(), purse(5)

    @act
    def service() -> Posted:
        with pytest.raises(InsufficientFunds):
            ledger.post(Move(cny(10), source, target), reference="r")
        return ledger.post(Move(cny(5), other, target), reference="instead")

    assert isinstance(service(), Posted)
    assert Journal.objects.refused().filter(reference="r").exists()


@either_way
def test_refusal_of_state_is_told_from_one_of_form(ask):
    """The first is a record; the second never was an act, so its reference is free."""
    source, target = purse(5), purse()
    with pytest.raises(DomainError):
        ledger.post(Move(cny(0), source, target), reference="r")

    assert isinstance(ask(Move(cny(5), source, target)), Posted)
