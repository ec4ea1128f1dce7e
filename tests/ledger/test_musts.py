"""What has happened must be booked sooner or later: a refusal of it is forgotten, and it is decided afresh."""

from dataclasses import replace

import pytest
from django.db import transaction

from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Posted
from paymentsite.ledger.models import Balance, Journal
from paymentsite.ledger.refusals import AccountNotOpen, InsufficientFunds, ReferenceConflict
from paymentsite.ledger.services import Draft, Move
from tests.factories import cny, fund, hot, purse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("must", [True, False])
def test_refused_today_it_is_booked_tomorrow(must):
    source, target = purse(0), purse()
    with pytest.raises(InsufficientFunds):
        ledger.post(Move(cny(5), source, target), reference="r", must=must)
    fund(source, 5)

    if not must:
        with pytest.raises(InsufficientFunds):
            ledger.post(Move(cny(5), source, target), reference="r", must=must)
        return
    first = ledger.post(Move(cny(5), source, target), reference="r", must=must)
    again = ledger.post(Move(cny(5), source, target), reference="r", must=must)
    assert (again.replayed, again.journal_id) == (True, first.journal_id)
    assert books.standing(target).posted == cny(5)


def test_many_at_once_are_forgotten_one_by_one():
    source, target = purse(0), purse()
    drafts = [Draft(entries=(Move(cny(5), source, target),), reference=f"r{must}", must=must) for must in (True, False)]

    assert [type(each) for each in ledger.post_many(drafts)] == [InsufficientFunds, InsufficientFunds]
    assert list(Journal.objects.refused().values_list("reference", flat=True)) == ["rFalse"]


@pytest.mark.parametrize("padding", [0, 30], ids=["few", "many"])
@pytest.mark.parametrize("must", [True, False])
def test_refused_and_asked_again_in_one_batch_it_is_decided_afresh(must, padding):
    source, target = purse(0), purse()
    asked = Draft(entries=(Move(cny(5), source, target),), reference="r", must=must)
    funding = Draft(entries=(Move(cny(5), hot(), source),), reference="funding")
    idle = [Draft(entries=(Move(cny(1), hot(), hot()),), reference=f"idle {n}") for n in range(padding)]

    first, _, *_, again, last = ledger.post_many([asked, funding, *idle, asked, asked])

    assert type(first) is InsufficientFunds
    if must:
        assert isinstance(again, Posted)
        assert isinstance(last, Posted)
        assert (again.replayed, last.replayed, last.journal_id) == (False, True, again.journal_id)
    else:
        assert [type(again), type(last)] == [InsufficientFunds] * 2
    assert books.standing(target).posted == cny(5 if must else 0)
    assert Journal.objects.filter(reference="r").count() == 1


def test_reference_of_what_was_refused_is_free_for_another_act_of_the_batch():
    source, target = purse(0), purse()
    refused = Draft(entries=(Move(cny(5), source, target),), reference="r", must=True)
    other = Draft(entries=(Move(cny(5), hot(), target),), reference="r")

    answers = ledger.post_many([refused, other, refused])

    assert [type(answer) for answer in answers] == [InsufficientFunds, Posted, ReferenceConflict]
    assert books.standing(target).posted == cny(5)


def test_refusal_that_stands_stands_for_what_must_be_too():
    source, target = purse(0), purse()
    final = Draft(entries=(Move(cny(5), source, target),), reference="r")
    funding = Draft(entries=(Move(cny(5), hot(), source),), reference="funding")

    answers = ledger.post_many([final, funding, replace(final, must=True)])

    assert [type(answer) for answer in answers] == [InsufficientFunds, Posted, InsufficientFunds]
    with pytest.raises(InsufficientFunds):
        ledger.post(*final.entries, reference="r", must=True)


def test_reversal_is_made_once_the_account_is_open_again():
    source, target = purse(5), purse()
    done = ledger.post(Move(cny(5), source, target), reference="r")
    journal = Journal.objects.get(pk=done.journal_id)
    ledger.set_status(account=target, status=Balance.Status.FROZEN, by=SYSTEM, reason="test")
    with pytest.raises(AccountNotOpen):
        ledger.reverse(journal=journal, reference="back", must=True)
    ledger.set_status(account=target, status=Balance.Status.OPEN, by=SYSTEM, reason="test")

    ledger.reverse(journal=journal, reference="back", must=True)
    assert (books.standing(source).posted, books.standing(target).posted) == (cny(5), cny(0))


def test_act_that_is_rolled_back_by_it_leaves_nothing_behind():
    source, target = purse(0), purse()

    @act
    def flow() -> None:
        ledger.post(Move(cny(5), source, target), reference="r", must=True)

    with pytest.raises(InsufficientFunds), transaction.atomic():
        flow()
    with pytest.raises(InsufficientFunds):
        flow()
    assert not Journal.objects.filter(reference="r").exists()
