"""What could never be right: refused before any balance is looked at, with nothing stored."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import ENTRIES_MAX
from paymentsite.ledger.models import Journal
from paymentsite.ledger.refusals import InvalidEntry
from paymentsite.ledger.services import Capture, Draft, Extend, Increase, Lapse, Move, Place, Release, Terms, Undo
from paymentsite.ledger.validation import AMOUNT_MAX, validate
from tests.factories import cny, hold, postings_of, pts, purse
from tests.ledger.drafting import (
    EUROS,
    HOLD,
    HOT,
    LOTS,
    MOVE,
    ONE,
    POSTING,
    REWARDS,
    TERMS,
    TWO,
    Coin,
    account,
    draft,
    why,
)

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  what is to be refused


class Count(int):
    """A whole number that could print as anything."""

    def __str__(self) -> str:
        return "1 CNY"


AMOUNT = f"an amount is a whole number from 1 to {AMOUNT_MAX}"
BAD_AMOUNTS = [
    0,
    -1,
    AMOUNT_MAX + 1,
    2**63 - 1,
    2**63,
    10**40,
    -(2**63),
    True,
    False,
    1.0,
    float("nan"),
    "1",
    None,
    Coin.ONE,
    Count(1),
]


@pytest.mark.parametrize("minor", BAD_AMOUNTS)
@pytest.mark.parametrize(
    "entry",
    [
        lambda amount: Move(amount, ONE, TWO),
        lambda amount: Undo(POSTING, amount),
        lambda amount: Place(amount, ONE),
        lambda amount: Increase(amount, HOLD),
        lambda amount: Capture(amount, HOLD, TWO),
        lambda amount: Release(HOLD, amount),
    ],
    ids=["move", "undo", "place", "increase", "capture", "release"],
)
def test_amount_must_be_a_whole_number_in_range(entry, minor):
    assert why(draft(MOVE, entry(Money(minor, "CNY")))) == (2, AMOUNT)


@pytest.mark.parametrize(
    "entry",
    [
        Move(Money(1, "EUR"), ONE, TWO),
        Undo(POSTING, Money(1, "EUR")),
        Place(Money(1, "EUR"), ONE),
        Increase(Money(1, "EUR"), HOLD),
        Capture(Money(1, "EUR"), HOLD, TWO),
        Release(HOLD, Money(1, "EUR")),
    ],
    ids=lambda entry: type(entry).__name__,
)
def test_amount_must_be_of_the_accounts_unit(entry):
    assert why(draft(entry)) == (1, "EUR cannot stand on an account of CNY")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Move(cny(1), ONE, EUROS), "CNY cannot become EUR in one posting"),
        (Move(cny(1), ONE, account(1)), "source and target are the same account"),
        (Capture(cny(1), HOLD, EUROS), "CNY cannot become EUR in one posting"),
        (Capture(cny(1), HOLD, ONE), "source and target are the same account"),
        (Lapse(LOTS, TWO, date(2026, 1, 1)), "PTS cannot become CNY in one posting"),
        (Lapse(LOTS, LOTS, date(2026, 1, 1)), "source and target are the same account"),
        (Lapse(REWARDS, LOTS, date(2026, 1, 1)), "only an account with lots has something that lapses"),
        (
            Lapse(LOTS, account(7, unit="PTS", lots=True), date(2026, 1, 1)),
            "terms are given for an account with lots, and only for one",
        ),
        (Lapse(LOTS, REWARDS, datetime(2026, 1, 1, tzinfo=UTC)), "a day is a date, not a time"),
        (Place(cny(1), HOT), "nothing can be held on a deferred account"),
        (Place(cny(1), ONE, NAIVE), "a time without its zone says nothing"),
        (Increase(cny(1), HOLD, NAIVE), "a time without its zone says nothing"),
        (Extend(HOLD, NAIVE), "a time without its zone says nothing"),
        (Capture(cny(1), HOLD, TWO, tolerance=cny(-1)), "the tolerance is not an amount of the hold's unit"),
        (Capture(cny(1), HOLD, TWO, tolerance=Money(1, "EUR")), "the tolerance is not an amount of the hold's unit"),
        (Capture(cny(1), HOLD, TWO, tolerance=Money(0.5, "CNY")), "the tolerance is not an amount of the hold's unit"),
        (
            Capture(cny(1), HOLD, TWO, tolerance=Money(Coin.ONE, "CNY")),
            "the tolerance is not an amount of the hold's unit",
        ),
        (
            Capture(cny(1), HOLD, TWO, tolerance=cny(AMOUNT_MAX + 1)),
            "the tolerance is not an amount of the hold's unit",
        ),
        (Capture(cny(1), HOLD, TWO, terms=TERMS), "terms are given for an account with lots, and only for one"),
        (Move(cny(1), ONE, TWO, TERMS), "terms are given for an account with lots, and only for one"),
        (Move(pts(1), REWARDS, LOTS), "terms are given for an account with lots, and only for one"),
        (
            Move(pts(1), REWARDS, LOTS, Terms("x", date(2026, 1, 2), date(2026, 1, 1))),
            "it would expire before it can be spent",
        ),
        (Move(pts(1), REWARDS, LOTS, Terms("")), "its origin must have 1 to 80 printable characters"),
        (Move(pts(1), REWARDS, LOTS, Terms("x" * 81)), "its origin must have 1 to 80 printable characters"),
        (Move(pts(1), REWARDS, LOTS, Terms("a\tb")), "its origin must have 1 to 80 printable characters"),
        (
            Move(pts(1), REWARDS, LOTS, Terms("x", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))),
            "a day is a date, not a time",
        ),
        (
            Move(pts(1), REWARDS, LOTS, Terms("x", date(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC))),
            "a day is a date, not a time",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_entry_that_cannot_be_is_refused_with_its_reason(entry, reason):
    assert why(draft(MOVE, entry)) == (2, reason)


@pytest.mark.parametrize(
    "at",
    [
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ],
)
@pytest.mark.parametrize(
    "given",
    [
        lambda at: draft(MOVE, occurred_at=at),
        lambda at: draft(Place(cny(1), ONE, at)),
        lambda at: draft(Increase(cny(1), HOLD, at)),
        lambda at: draft(Extend(HOLD, at)),
    ],
    ids=["occurred_at", "place", "increase", "extend"],
)
def test_time_outside_the_calendar_in_utc_is_refused(given, at):
    assert why(given(at))[1] == "that time is outside the calendar"


@pytest.mark.parametrize("entries", [(), (MOVE,) * (ENTRIES_MAX + 1)], ids=["none", "too many"])
def test_act_has_entries_but_not_too_many(entries):
    assert why(draft(*entries)) == (0, f"an act has 1 to {ENTRIES_MAX} entries")


def test_act_may_have_as_many_entries_as_the_limit_says():
    validate(draft(*(MOVE,) * ENTRIES_MAX))


UNPRINTABLE = ["a\x00b", "\x00", "a\tb", "a\nb", "\ud800", "a\udfffb", "a\u200db", "\u202e", "\x7f", "a\u2028"]


@pytest.mark.parametrize("text", [*UNPRINTABLE, "", "x" * 256, "汉" * 256])
def test_reference_must_be_printable_and_fit(text):
    assert why(draft(MOVE, reference=text)) == (0, "its reference must have 1 to 255 printable characters")


@pytest.mark.parametrize("text", [*UNPRINTABLE, "", "x" * 81])
def test_scope_must_be_printable_and_fit(text):
    assert why(draft(MOVE, scope=text)) == (0, "its scope must have 1 to 80 printable characters")


@pytest.mark.parametrize("text", [*UNPRINTABLE, "", "x" * 41])
def test_kind_must_be_printable_and_fit(text):
    assert why(draft(MOVE, kind=text)) == (0, "its kind must have 1 to 40 printable characters")


@pytest.mark.parametrize("text", [*UNPRINTABLE, "x" * 81])
def test_source_must_be_printable_and_fit(text):
    assert why(draft(MOVE, source=text)) == (0, "its source must have 0 to 80 printable characters")


@pytest.mark.parametrize("key", [*UNPRINTABLE, "x" * 80])
def test_actor_must_be_printable_and_fit(key):
    assert why(draft(MOVE, by=Actor("partner", key))) == (0, "its actor must have 1 to 80 printable characters")


def test_occurred_at_needs_its_zone():
    assert why(draft(MOVE, occurred_at=NAIVE)) == (0, "a time without its zone says nothing")


@pytest.mark.django_db
def test_invalid_act_stores_nothing(book):
    source, target = purse(100), purse()
    before = book()

    with pytest.raises(InvalidEntry):
        ledger.post(Move(cny(1), source, target), Move(cny(0), source, target), reference="r")
    with pytest.raises(InvalidEntry):
        ledger.post_many(
            [
                Draft(entries=(Move(cny(1), source, target),), reference="good"),
                Draft(entries=(Move(cny(-1), source, target),), reference="bad"),
            ]
        )

    assert book() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("legs", [1, 9])
@pytest.mark.parametrize("many", [False, True])
def test_act_that_belongs_to_no_journal_that_there_is_stores_nothing(book, legs, many):
    source, target = purse(100), purse()
    moves = (Move(cny(1), source, target),) * legs
    orphan = Draft(entries=moves, reference="orphan", parent=UUID(int=1))
    before = book()

    with pytest.raises(InvalidEntry, match="there is no journal that it could belong to") as refusal:
        ledger.post_many([draft(*moves), orphan]) if many else ledger.post(
            *moves, reference="orphan", parent=orphan.parent
        )

    assert refusal.value.facts == {"position": 0, "why": "parent"}
    assert book() == before


@pytest.mark.django_db
def test_many_acts_may_belong_to_one_journal():
    source, target = purse(100), purse()
    first = ledger.post(Move(cny(1), source, target), reference="first").journal_id
    drafts = [
        Draft(entries=(Move(cny(1), source, target),), reference=f"r{number}", parent=first) for number in range(3)
    ]

    answers = ledger.post_many(drafts)

    assert Journal.objects.filter(parent=first).count() == len(answers) == 3


@pytest.mark.django_db
def test_largest_amount_can_be_posted():
    source, target = purse(AMOUNT_MAX), purse()

    assert ledger.post(Move(cny(AMOUNT_MAX), source, target), reference="r").balances == {
        source.pk: 0,
        target.pk: AMOUNT_MAX,
    }


@pytest.mark.django_db
def test_reversal_of_a_position_that_the_journal_does_not_have_is_refused(book):
    source, target = purse(100), purse()
    posting = postings_of(ledger.post(Move(cny(10), source, target), reference="r"))[0]
    before = book()

    with pytest.raises(InvalidEntry) as refusal:
        ledger.reverse(journal=posting.journal, reference="back", amounts={1: cny(5), 2: cny(5)})

    assert refusal.value.facts == {"position": 2, "why": "no_posting"}
    assert book() == before


@pytest.mark.django_db
def test_reversal_of_a_journal_without_postings_is_refused():
    placed = hold(purse(100), 10)

    with pytest.raises(InvalidEntry):
        ledger.reverse(journal=Journal.objects.get(hold_events__hold=placed), reference="back")
