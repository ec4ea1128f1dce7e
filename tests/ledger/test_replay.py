"""The same again: the first answer, and nothing written."""

from copy import deepcopy
from dataclasses import replace

import pytest

from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Posted
from paymentsite.ledger.models import Journal
from paymentsite.ledger.services import Expire, Move
from tests.factories import cny
from tests.ledger.repeating import WAYS, World, entries, every_sort, first_way, new_world, second_way, singly
from tests.made_once import MadeOnce

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> World:
    return made_once(new_world)


@pytest.fixture
def world(made: World, db: None) -> World:
    return deepcopy(made)


@first_way
@second_way
@every_sort
def test_repetition_is_the_first_answer_and_writes_nothing(world, sort, first, second, book):
    draft = Draft(entries=(entries(world)[sort],), reference="r")
    answer = WAYS[first](draft)
    before = book()

    again = WAYS[second](draft)

    assert isinstance(answer, Posted)
    assert again == answer
    assert (answer.replayed, again.replayed) == (False, True)
    assert book() == before


@first_way
@second_way
def test_act_of_many_entries_is_repeated_as_a_whole(world, first, second, book):
    all_kinds = entries(world)
    together = [
        all_kinds[sort] for sort in ("move", "place", "undo", "increase", "capture", "release", "place on lots")
    ]
    draft = Draft(entries=tuple(together), reference="r")
    answer = WAYS[first](draft)
    before = book()

    again = WAYS[second](draft)

    assert isinstance(answer, Posted)
    assert again == answer
    assert len(answer.holds) == 2
    assert book() == before


@first_way
@second_way
@pytest.mark.parametrize("entry", [lambda w: Move(cny(10_000), w.one, w.two), lambda w: Expire(w.held)])
def test_repetition_of_a_refusal_is_the_same_refusal(world, entry, first, second, book):
    draft = Draft(entries=(entry(world),), reference="r")
    answer = WAYS[first](draft)
    before = book()

    again = WAYS[second](draft)

    assert isinstance(answer, DomainError)
    assert (type(again), again.facts, str(again)) == (type(answer), answer.facts, str(answer))
    assert book() == before


@second_way
def test_repetition_is_answered_though_everything_has_changed(world, second):
    draft = Draft(entries=(Move(cny(10), world.one, world.two),), reference="r")
    answer = singly(draft)
    ledger.post(Move(cny(500), world.one, world.two), reference="more")
    ledger.set_status(account=world.two, status="frozen", by=Actor("staff", "1"), reason="test")

    again = WAYS[second](draft)

    assert again == answer
    assert again.balances == answer.balances


@second_way
def test_repetition_may_be_asked_by_another(world, second):
    draft = Draft(entries=(Move(cny(10), world.one, world.two),), reference="r")
    answer = singly(draft)

    assert WAYS[second](replace(draft, by=Actor("partner", "8"))) == answer
    assert Journal.objects.get(pk=answer.journal_id).actor == "system:paymentsite"


@first_way
@second_way
def test_reference_is_of_its_scope(world, first, second):
    draft = Draft(entries=(Move(cny(10), world.one, world.two),), reference="r")

    here, there = WAYS[first](draft), WAYS[second](replace(draft, scope="elsewhere"))

    assert (here.replayed, there.replayed) == (False, False)
    assert here.journal_id != there.journal_id
