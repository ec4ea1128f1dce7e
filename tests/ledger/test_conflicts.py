"""Something else under a reference that was used: what differs, named field by field."""

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Journal
from paymentsite.ledger.refusals import ReferenceConflict
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Move, Place, Release, Undo
from tests.factories import cny, hot, postings_of, pts
from tests.ledger.repeating import (
    SOON,
    SORTS,
    WAYS,
    World,
    entries,
    every_sort,
    first_way,
    new_world,
    second_way,
    singly,
)
from tests.made_once import MadeOnce

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> World:
    return made_once(new_world)


@pytest.fixture
def world(made: World, db: None) -> World:
    return deepcopy(made)


def conflict(answer: Posted | DomainError) -> list[str]:
    assert isinstance(answer, ReferenceConflict), answer
    assert answer.facts["reference"] == "r"
    return answer.facts["fields"]


HEADERS: dict[str, Any] = {
    "kind": "payment",
    "parent": UUID(int=7),
    "source": "payment:1",
    "occurred_at": datetime.fromisoformat("2026-01-01T00:00:00+08:00"),
    "details": {"note": "tea"},
}


@first_way
@second_way
@pytest.mark.parametrize("given", ["before", "after", "both"])
@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("amount", [10, 10_000], ids=["done", "refused"])
def test_conflict_names_the_field_that_was_told_otherwise(world, name, given, amount, first, second, book):
    plain = Draft(entries=(Move(cny(amount), world.one, world.two),), reference="r")
    parent = Journal.objects.get(reference="two moves").pk
    told = replace(plain, **{name: parent if name == "parent" else HEADERS[name]})
    others = {
        "parent": world.held.events.get().journal_id,
        "details": {"note": "Tea"},
        "occurred_at": HEADERS["occurred_at"] + timedelta(microseconds=1),
    }
    other = replace(plain, **{name: others.get(name, "other")})
    before_, after = {"before": (told, plain), "after": (plain, told), "both": (told, other)}[given]
    WAYS[first](before_)
    before = book()

    assert conflict(WAYS[second](after)) == [name]
    assert book() == before


def variations(w: World) -> dict[str, tuple[Entry, list[tuple[Entry, str]]]]:
    """An entry, and others that contradict it, each with the field that is named."""
    all_kinds, soon = entries(w), w.now + SOON
    late = soon + timedelta(microseconds=1)
    any_move = (all_kinds["move"], "entries[1]")
    move, place, capture = all_kinds["move"], all_kinds["place"], all_kinds["capture"]
    moved, captured, issued = all_kinds["move of lots"], all_kinds["capture of lots"], all_kinds["undo"]
    whole = "entries[1]"
    return {
        "move": (
            move,
            [
                (replace(move, amount=cny(11)), "entries[1].amount"),
                (replace(move, source=w.two, target=w.one), whole),
                (replace(move, source=w.warm), "entries[1].source"),
                (replace(move, target=w.warm), "entries[1].target"),
                (Place(cny(10), w.one), whole),
                (Capture(cny(10), w.held, w.two), whole),
                (Undo(w.posting, cny(10)), whole),
            ],
        ),
        "move of lots": (
            moved,
            [
                (replace(moved, amount=pts(9)), "entries[1].amount"),
                (replace(moved, terms=w.terms("y")), whole),
                (replace(moved, terms=w.terms(last=8)), whole),
                (replace(moved, target=hot(unit="PTS"), terms=None), whole),
            ],
        ),
        "undo": (
            issued,
            [
                (replace(issued, amount=cny(4)), whole),
                (Undo(w.posting), whole),
                (Undo(w.other_posting, cny(5)), whole),
                (Move(cny(5), w.posting.target, w.posting.source), whole),
            ],
        ),
        "lapse": (
            all_kinds["lapse"],
            [
                (replace(all_kinds["lapse"], target=hot(unit="PTS")), whole),
                (replace(all_kinds["lapse"], source=w.lots), whole),
                (replace(all_kinds["lapse"], day=clock.day_of(w.now) - timedelta(1)), whole),
                (Move(pts(5), w.dead, all_kinds["lapse"].target), whole),
            ],
        ),
        "place": (
            place,
            [
                (replace(place, amount=cny(11)), whole),
                (replace(place, account=w.two), whole),
                (replace(place, expires_at=late), whole),
                (replace(place, expires_at=None), whole),
                any_move,
            ],
        ),
        "increase": (
            all_kinds["increase"],
            [
                (Increase(cny(11), w.held), whole),
                (Increase(cny(10), w.other), whole),
                (Increase(cny(10), w.held, soon), whole),
                (Release(w.held, cny(10)), whole),
                any_move,
            ],
        ),
        "extend": (
            all_kinds["extend"],
            [(Extend(w.other, soon), whole), (Extend(w.held, late), whole), (Expire(w.held), whole), any_move],
        ),
        "capture": (
            capture,
            [
                (replace(capture, amount=cny(11)), whole),
                (replace(capture, hold=w.other), whole),
                (replace(capture, target=w.warm), whole),
                (replace(capture, final=True), whole),
                (replace(capture, tolerance=cny(5)), whole),
                (Move(cny(10), w.one, w.two), whole),
                (Release(w.held, cny(10)), whole),
            ],
        ),
        "last capture": (all_kinds["last capture"], [(capture, whole), (Release(w.held, cny(40)), whole)]),
        "capture beyond": (
            all_kinds["capture beyond"],
            [
                (replace(all_kinds["capture beyond"], tolerance=cny(11)), whole),
                (Increase(cny(10), w.held), whole),
            ],
        ),
        "capture of lots": (
            captured,
            [
                (replace(captured, terms=w.terms("y")), whole),
                (replace(captured, target=hot(unit="PTS"), terms=None), whole),
            ],
        ),
        "release": (
            all_kinds["release"],
            [
                (Release(w.held, cny(11)), whole),
                (Release(w.held), whole),
                (Release(w.other, cny(10)), whole),
                (Capture(cny(10), w.held, w.two), whole),
                any_move,
            ],
        ),
        "expire": (all_kinds["expire"], [(Expire(w.other), whole), (Release(w.over), whole), any_move]),
    }


@second_way
@pytest.mark.parametrize(
    "sort",
    [sort for sort in SORTS if sort not in {"undo the rest", "place on lots", "increase and extend", "release all"}],
)
def test_conflict_names_the_entry_that_is_another(world, sort, second, book):
    entry, others = variations(world)[sort]
    padding = Move(cny(1), world.two, world.warm)
    done = Draft(entries=(entry, padding), reference="r")
    assert isinstance(singly(done), Posted)
    before = book()

    for other, named in others:
        assert conflict(WAYS[second](replace(done, entries=(other, padding)))) == [named], other
        assert conflict(WAYS[second](replace(done, kind="x", entries=(other, padding, padding)))) in (
            ["kind", named, "entries[3]"],
            ["kind", "entries[3]"],  # the books do not tell a tolerance, nor an amount left open from a named one
        )
    assert book() == before


@second_way
@every_sort
@pytest.mark.parametrize("refused", [False, True], ids=["done", "refused"])
def test_conflict_names_entries_left_out_and_added(world, sort, refused, second):
    entry = entries(world)[sort]
    padding = Move(cny(10_000 if refused else 1), world.two, world.warm)
    done = Draft(entries=(padding, entry), reference="r")
    assert isinstance(singly(done), DomainError if refused else Posted)

    assert conflict(WAYS[second](replace(done, entries=(padding,)))) == ["entries[2]"]
    assert conflict(WAYS[second](replace(done, entries=(padding, entry, padding)))) == ["entries[3]"]
    assert conflict(WAYS[second](replace(done, entries=(padding, padding)))) == ["entries[2]"]


@second_way
def test_conflict_names_each_field_that_differs_and_no_other(world, second):
    moves = (Move(cny(1), world.one, world.two), Move(cny(2), world.one, world.two), Move(cny(3), world.one, world.two))
    done = Draft(entries=moves, reference="r", source="a", details={"b": 1})
    singly(done)

    other = replace(
        done, source="", entries=(moves[0], replace(moves[1], amount=cny(3)), replace(moves[2], target=world.warm))
    )

    assert conflict(WAYS[second](other)) == ["source", "entries[2].amount", "entries[3].target"]


@second_way
def test_conflict_with_a_rest_names_no_posting_that_was_back_already(world, second, book):
    singly(Draft(entries=(Undo(world.posting),), reference="before"))
    rest = Draft(entries=(Undo(world.other_posting), Undo(world.posting)), reference="r")
    assert isinstance(singly(rest), Posted)
    stranger = postings_of(singly(Draft(entries=(Move(cny(1), world.one, world.two),), reference="else")))[0]
    before = book()

    assert conflict(WAYS[second](replace(rest, kind="x"))) == ["kind"]
    for other in (Undo(stranger), Undo(world.posting, cny(20)), Undo(world.other_posting), Move(cny(1), hot(), hot())):
        assert conflict(WAYS[second](replace(rest, entries=(rest.entries[0], other)))) == ["entries[2]"]
    # What was back already left nothing that could tell whether it was asked for.
    assert conflict(WAYS[second](replace(rest, entries=rest.entries[:1]))) == ["entries[1]"]
    assert book()["ledger_journal"] == before["ledger_journal"]


@second_way
def test_conflict_over_the_unit_names_the_entry(world, second):
    singly(Draft(entries=(Move(cny(10), world.one, world.two),), reference="r"))
    euros = Move(Money(10, "EUR"), hot(unit="EUR"), hot(unit="EUR"))

    assert conflict(WAYS[second](Draft(entries=(euros,), reference="r"))) == ["entries[1]"]


def test_conflict_over_the_moment_of_recording_is_named_though_the_books_look_the_same(world):
    """Told to have occurred exactly when it was recorded, the first differs from one that tells nothing."""
    draft = Draft(entries=(Move(cny(10), world.one, world.two),), reference="r", occurred_at=world.now)
    with clock.standing(world.now):
        singly(draft)

    assert conflict(singly(replace(draft, occurred_at=None))) == ["occurred_at"]
