"""One way to write an act as bytes: equal acts and only those have equal hashes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.ledger import canon
from paymentsite.ledger.canon import HoldFacts, JournalFacts, LotFacts, PostingFacts, SideFacts
from paymentsite.ledger.entries import Draft, Entry
from paymentsite.ledger.models import Account, Hold, Posting
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Lapse, Move, Place, Release, Terms, Undo
from tests.factories import cny

ONE, TWO, LOTS = Account(pk=1, unit="CNY"), Account(pk=2, unit="CNY"), Account(pk=12, unit="PTS", lots=True)
HOLD, OTHER_HOLD = Hold(pk=UUID(int=1), unit="CNY", account=ONE), Hold(pk=UUID(int=2), unit="CNY", account=ONE)
POSTING, OTHER_POSTING = Posting(pk=1, unit="CNY"), Posting(pk=11, unit="CNY")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
TERMS = Terms("welcome", DAY, NEXT)
MICROSECOND = timedelta(microseconds=1)

# All of these ask for something different.
ENTRIES: list[Entry] = [
    Move(cny(1), ONE, TWO),
    Move(cny(1), TWO, ONE),
    Move(cny(11), ONE, TWO),
    Move(cny(1), ONE, LOTS),
    Move(Money(1, "EUR"), ONE, TWO),
    Move(cny(1), ONE, TWO, TERMS),
    Move(cny(1), ONE, TWO, Terms("welcome!", DAY, NEXT)),
    Move(cny(1), ONE, TWO, Terms("welcome", DAY, DAY)),
    Move(cny(1), ONE, TWO, Terms("welcome", NEXT, NEXT)),
    Undo(POSTING),
    Undo(OTHER_POSTING),
    Undo(POSTING, cny(1)),
    Undo(POSTING, cny(2)),
    Lapse(LOTS, ONE, DAY),
    Lapse(LOTS, TWO, DAY),
    Lapse(LOTS, ONE, NEXT),
    Place(cny(1), ONE),
    Place(cny(2), ONE),
    Place(cny(1), TWO),
    Place(cny(1), ONE, NOON),
    Place(cny(1), ONE, NOON + MICROSECOND),
    Increase(cny(1), HOLD),
    Increase(cny(2), HOLD),
    Increase(cny(1), OTHER_HOLD),
    Increase(cny(1), HOLD, NOON),
    Extend(HOLD, NOON),
    Extend(OTHER_HOLD, NOON),
    Extend(HOLD, NOON + MICROSECOND),
    Capture(cny(1), HOLD, TWO),
    Capture(cny(2), HOLD, TWO),
    Capture(cny(1), OTHER_HOLD, TWO),
    Capture(cny(1), HOLD, LOTS),
    Capture(cny(1), HOLD, TWO, final=True),
    Capture(cny(1), HOLD, TWO, tolerance=cny(0)),
    Capture(cny(1), HOLD, TWO, tolerance=cny(1)),
    Capture(cny(1), HOLD, TWO, terms=TERMS),
    Release(HOLD),
    Release(OTHER_HOLD),
    Release(HOLD, cny(1)),
    Expire(HOLD),
    Expire(OTHER_HOLD),
]
DRAFT = Draft(entries=(ENTRIES[0],), reference="r")
DRAFTS = [
    *(replace(DRAFT, entries=(entry,)) for entry in ENTRIES),
    replace(DRAFT, entries=(ENTRIES[0], ENTRIES[0])),
    replace(DRAFT, entries=(ENTRIES[0], ENTRIES[1])),
    replace(DRAFT, entries=(ENTRIES[1], ENTRIES[0])),
    replace(DRAFT, kind="payment"),
    replace(DRAFT, source="transfer"),
    replace(DRAFT, parent=UUID(int=1)),
    replace(DRAFT, parent=UUID(int=2)),
    replace(DRAFT, occurred_at=NOON),
    replace(DRAFT, occurred_at=NOON + MICROSECOND),
    replace(DRAFT, details={}),
    replace(DRAFT, details={"a": None}),
    replace(DRAFT, details={"a": 1}),
    replace(DRAFT, details={"a": "1"}),
    replace(DRAFT, details={"a": True}),
    replace(DRAFT, details={"a": [1]}),
    replace(DRAFT, details={"b": 1}),
]


GOLDEN_MOVE = "b50438e0a97022729f68ee906acda4e6d875bb269f77d11d33cefe86134550dd"
GOLDEN_EVERYTHING = "9b14e95f7b177c5fa61c82a6f85fa22a8aef00c2d25bd0e854de9c74339cf870"
GOLDEN_DIGEST = "2f27f3bbd6b9f37d55a992c59b8d919b940835f8de3d53ffa2ff9882900ead31"
GOLDEN_LEAF = "201513834ac759016f01e837c88d4398f3ff054cb087c506374c2d99aa4b1e10"


def test_different_acts_have_different_hashes_and_words():
    assert len({canon.request_hash(draft) for draft in DRAFTS}) == len(DRAFTS)
    assert len({str(canon.asked(draft)) for draft in DRAFTS}) == len(DRAFTS)


@pytest.mark.parametrize(
    "same",
    [
        replace(DRAFT, by=Actor("partner", "7")),
        replace(DRAFT, reference="another", scope="another"),
        replace(DRAFT, entries=(Move(cny(1), Account(pk=1, unit="CNY", owner="renamed"), TWO),)),
    ],
    ids=["actor", "reference", "accounts read again"],
)
def test_act_is_the_same_whoever_asks_and_under_whatever_reference(same):
    assert canon.request_hash(same) == canon.request_hash(DRAFT)


def test_time_is_the_same_in_every_zone():
    abroad = NOON.astimezone(timezone(timedelta(hours=8)))

    assert canon.request_hash(replace(DRAFT, occurred_at=abroad)) == canon.request_hash(
        replace(DRAFT, occurred_at=NOON)
    )


def test_details_are_the_same_in_every_order_of_keys():
    one, other = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})

    assert canon.request_hash(replace(DRAFT, details=one)) == canon.request_hash(replace(DRAFT, details=other))


def test_hash_of_an_act_never_changes():
    """Journals that were written must be recognised for ever: a change of this is a new version."""
    everything = replace(
        DRAFT,
        entries=tuple(ENTRIES),
        parent=UUID(int=7),
        occurred_at=NOON,
        source="s:1",
        details={"k": ["汉", 1, None]},
    )

    assert canon.VERSION == "1"
    assert canon.request_hash(DRAFT).hex() == GOLDEN_MOVE
    assert canon.request_hash(everything).hex() == GOLDEN_EVERYTHING
    assert canon.digest(JOURNAL, POSTINGS, HOLDS, LOTS_DONE).hex() == GOLDEN_DIGEST
    assert canon.leaf(bytes(32), SIDES).hex() == GOLDEN_LEAF


def unpack(packed: bytes) -> list[str]:
    """The fields again, read as anyone would who knows only that each says its length first."""
    rest, fields = packed.decode(), []
    while rest:
        length, rest = rest.split(":", 1)
        fields.append(rest[: int(length)])
        rest = rest[int(length) :]
    return fields


@given(st.lists(st.text()))
def test_packed_fields_are_read_back_in_one_way(fields):
    assert unpack(canon.pack(fields)) == fields


JOURNAL = JournalFacts(UUID(int=1), "transfer", "ledger", "r", bytes(32), NOON, NOON, "system:x", None, "", None, None)
POSTINGS = [PostingFacts(1, "CNY", 1, 2, 100, None), PostingFacts(2, "CNY", 2, 3, 5, 9)]
HOLDS = [
    HoldFacts(3, "captured", UUID(int=2), 1, 5, None),
    HoldFacts(3, "increased", UUID(int=2), 1, 5, NOON),
    HoldFacts(4, "placed", UUID(int=3), 1, 5, NOON),
]
LOTS_DONE = [
    LotFacts(5, "used", UUID(int=4), 12, "a", DAY, NEXT, 5, None),
    LotFacts(5, "used", UUID(int=5), 12, "b", DAY, NEXT, 5, UUID(int=2)),
]
SIDES = [SideFacts(10, 1, 1, 70, None, None), SideFacts(11, 2, None, None, 2, -5)]
ANOTHER = {
    str: "other",
    int: 77,
    bytes: b"\x01" * 32,
    UUID: UUID(int=99),
    datetime: NOON + MICROSECOND,
    date: date(2027, 1, 1),
    type(None): None,
}
NULLABLE = {
    "parent_id": UUID(int=99),
    "details": {},
    "refusal": {},
    "reverses_id": 77,
    "expires_at": NOON,
    "hold_id": UUID(int=99),
    "source_seq": 7,
    "source_balance_minor": 7,
    "target_seq": 7,
    "target_balance_minor": 7,
}


def changes(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """The rows with one field of one of them changed, in every way; each row left out; one twice."""
    changed: list[list[object]] = []
    for place, row in enumerate(rows):
        for name in row._fields:
            value = getattr(row, name)
            other = ANOTHER[type(value)] if value is not None else NULLABLE[name]
            changed.append([*rows[:place], row._replace(**{name: other}), *rows[place + 1 :]])
        changed.append([*rows[:place], *rows[place + 1 :]])
        changed.append([*rows, row])
    return changed


def test_digest_covers_every_field_of_a_journal_and_of_all_that_it_did():
    true = canon.digest(JOURNAL, POSTINGS, HOLDS, LOTS_DONE)
    digests = [canon.digest(journal, POSTINGS, HOLDS, LOTS_DONE) for (journal,) in changes([JOURNAL])[:-2]]
    digests += [canon.digest(JOURNAL, postings, HOLDS, LOTS_DONE) for postings in changes(POSTINGS)]
    digests += [canon.digest(JOURNAL, POSTINGS, holds, LOTS_DONE) for holds in changes(HOLDS)]
    digests += [canon.digest(JOURNAL, POSTINGS, HOLDS, lots) for lots in changes(LOTS_DONE)]

    assert len({true, *digests}) == len(digests) + 1


def test_digest_does_not_depend_on_the_order_of_the_parts():
    assert canon.digest(JOURNAL, POSTINGS[::-1], HOLDS[::-1], LOTS_DONE[::-1]) == canon.digest(
        JOURNAL, POSTINGS, HOLDS, LOTS_DONE
    )


def test_leaf_covers_every_side():
    leaves = [canon.leaf(bytes(32), sides) for sides in changes(SIDES)]

    assert len({canon.leaf(bytes(32), SIDES), canon.leaf(b"\x01" * 32, SIDES), *leaves}) == len(leaves) + 2
    assert canon.leaf(bytes(32), SIDES[::-1]) == canon.leaf(bytes(32), SIDES)


def test_leaf_cannot_be_taken_for_a_node():
    one, other = bytes(32), b"\x01" * 32

    assert canon.node(one, other) != canon.leaf(one, [])
    assert canon.node(one, other) != canon.node(other, one)


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text())))
def test_text_of_details_is_read_back_as_it_was(details):
    assert json.loads(canon.text(details)) == details
