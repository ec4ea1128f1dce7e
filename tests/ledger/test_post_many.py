"""Many acts in one go: each as it would have been by itself, in order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Balance, Journal, Posting, Unsealed
from paymentsite.ledger.refusals import InsufficientFunds, InvalidEntry, ReferenceConflict, ReversalExceeds
from paymentsite.ledger.services import Move, Place, Terms, Undo
from tests.factories import cny, fund, hot, points, postings_of, pts, purse

pytestmark = pytest.mark.django_db


def act(reference: object, *entries: Entry) -> Draft:
    return Draft(entries=entries, reference=str(reference))


def idle(count: int) -> list[Draft]:
    """Acts that are in nobody's way; enough of them, and a batch is written by COPY."""
    return [act(f"idle {number}", Move(cny(1), hot(), hot())) for number in range(count)]


by_size = pytest.mark.parametrize("padding", [0, 30], ids=["few", "many"])


def kinds(answers: list[Posted | DomainError]) -> list[type]:
    return [type(answer) for answer in answers]


def test_nothing_is_asked_and_nothing_is_done(book):
    before = book()

    assert ledger.post_many([]) == []
    assert book() == before


def test_one_that_can_never_be_right_stops_all_before_any_is_done(book):
    source, target = purse(10), purse()
    before = book()

    with pytest.raises(InvalidEntry):
        ledger.post_many([act(1, Move(cny(1), source, target)), act(2, Move(cny(1), source, source))])

    assert book() == before


@by_size
def test_order_decides_what_is_there(padding):
    source, between, target = purse(10), purse(), purse()

    answers = ledger.post_many(
        [
            act(1, Move(cny(5), between, target)),
            act(2, Move(cny(7), source, between)),
            act(3, Move(cny(5), between, target)),
            act(4, Move(cny(4), source, between)),
            act(5, Move(cny(3), source, between)),
            act(6, Move(cny(5), between, target)),
            *idle(padding),
        ]
    )

    assert kinds(answers[:6]) == [InsufficientFunds, Posted, Posted, InsufficientFunds, Posted, Posted]
    assert [answer.balances for answer in answers[:6] if isinstance(answer, Posted)] == [
        {source.pk: 3, between.pk: 7},
        {between.pk: 2, target.pk: 5},
        {source.pk: 0, between.pk: 5},
        {between.pk: 0, target.pk: 10},
    ]
    assert answers[3].facts["available"] == cny(3).to_wire()
    assert kinds(answers[6:]) == [Posted] * padding


@pytest.mark.parametrize("count", [1, 19, 20, 21, 100])
def test_numbers_of_an_account_have_no_gap_across_a_batch(count):
    source, target = purse(count // 2), purse()

    answers = ledger.post_many([act(number, Move(cny(1), source, target)) for number in range(count)])

    assert kinds(answers) == [Posted] * (count // 2) + [InsufficientFunds] * (count - count // 2)
    sides = Posting.objects.filter(target=target).order_by("target_seq")
    assert list(sides.values_list("target_seq", "target_balance_minor")) == [(n, n) for n in range(1, count // 2 + 1)]
    assert Balance.objects.get(account=target).seq == count // 2
    assert Journal.objects.refused().count() == count - count // 2
    assert Unsealed.objects.count() == Journal.objects.count()


@by_size
def test_same_act_twice_in_a_batch_is_done_once(padding):
    source, target = purse(10), purse()
    once = [act(1, Move(cny(6), source, target)), act(2, Move(cny(60), source, target))]

    first, refused, *rest, again, refused_again = ledger.post_many([*once, *idle(padding), *once])

    assert isinstance(first, Posted)
    assert again == first
    assert (first.replayed, again.replayed) == (False, True)
    assert (type(refused_again), refused_again.facts) == (type(refused), refused.facts)
    assert kinds(rest) == [Posted] * padding
    assert Journal.objects.filter(reference__in=["1", "2"]).count() == 2


@by_size
@pytest.mark.parametrize("amount", [1, 100], ids=["done", "refused"])
def test_reference_used_twice_in_a_batch_for_two_things_is_a_conflict(amount, padding):
    source, target = purse(10), purse()
    first = act(1, Move(cny(amount), source, target))
    others = [
        replace(first, entries=(Move(cny(amount + 1), source, target),)),
        replace(first, kind="other", details={}),
        replace(first, scope="another"),
        replace(first, entries=(*first.entries, Place(cny(1), source))),
    ]

    answers = ledger.post_many([first, *idle(padding), *others])[-4:]

    assert kinds(answers)[:2] == [ReferenceConflict, ReferenceConflict]
    assert answers[0].facts == {"reference": "1", "fields": ["entries[1].amount"]}
    assert answers[1].facts == {"reference": "1", "fields": ["kind", "details"]}
    assert kinds(answers)[2] == (Posted if amount == 1 else InsufficientFunds)
    assert answers[3].facts == {"reference": "1", "fields": ["entries[2]"]}


@by_size
def test_repetitions_and_conflicts_with_what_was_done_before_stand_among_new_acts(padding, book):
    source, target = purse(10), purse()
    done, refused = act(1, Move(cny(6), source, target)), act(2, Move(cny(60), source, target))
    first, no = ledger.post_many([done, refused])
    fund(source, 100)

    answers = ledger.post_many(
        [done, act(3, Move(cny(4), source, target)), refused, *idle(padding), replace(done, kind="other")]
    )

    assert answers[0] == first
    assert answers[0].replayed
    assert answers[1].balances == {source.pk: 100, target.pk: 10}
    assert answers[2].facts == no.facts
    assert answers[-1].facts == {"reference": "1", "fields": ["kind"]}


def test_batch_of_repetitions_writes_nothing(book):
    source, target = purse(10), purse()
    drafts = [act(number, Move(cny(1), source, target)) for number in range(30)]
    first = ledger.post_many(drafts)
    before = book()

    again = ledger.post_many(drafts)

    assert kinds(first) == [Posted] * 10 + [InsufficientFunds] * 20
    assert again[:10] == first[:10]
    assert [answer.facts for answer in again[10:]] == [answer.facts for answer in first[10:]]
    assert book() == before


@by_size
def test_holds_and_lots_of_one_batch_build_on_each_other(padding):
    lots, cash, today = points(), hot(unit="PTS"), clock.today()
    soon, late = Terms("soon", today, today), Terms("late", today, today + timedelta(9))

    answers = ledger.post_many(
        [
            act(1, Move(pts(10), cash, lots, late)),
            act(2, Move(pts(5), cash, lots, soon)),
            act(3, Move(pts(5), cash, lots, late)),
            *idle(padding),
            act(4, Move(pts(7), lots, cash)),
            act(5, Place(pts(8), lots)),
            act(6, Move(pts(6), lots, cash)),
            act(7, Move(pts(5), lots, cash)),
        ]
    )

    assert kinds(answers[-4:]) == [Posted, Posted, InsufficientFunds, Posted]
    assert {lot.origin: (lot.issued_minor, lot.used_minor, lot.held_minor) for lot in lots.lot_rows.all()} == {
        "soon": (5, 5, 0),
        "late": (15, 7, 8),
    }


@by_size
def test_reversals_of_one_posting_count_together_across_a_batch(padding):
    posting = postings_of(ledger.post(Move(cny(10), purse(10), purse()), reference="first"))[0]

    *_, one, two, three = ledger.post_many(
        [*idle(padding), act(1, Undo(posting, cny(6))), act(2, Undo(posting, cny(5))), act(3, Undo(posting))]
    )

    assert kinds([one, two, three]) == [Posted, ReversalExceeds, Posted]
    assert three.balances == {posting.source_id: 10, posting.target_id: 0}


def test_ten_thousand_acts_at_once():
    source, targets = purse(9_000), [purse() for _ in range(10)]
    drafts = [act(number, Move(cny(1), source, targets[number % 10])) for number in range(10_000)]

    answers = ledger.post_many(drafts)

    assert kinds(answers) == [Posted] * 9_000 + [InsufficientFunds] * 1_000
    assert answers[8_999].balances == {source.pk: 0, targets[9].pk: 900}
    assert Balance.objects.get(account=source).seq == 9_001
    numbers = (
        Posting.objects.filter(source=source).order_by("source_seq").values_list("source_balance_minor", flat=True)
    )
    assert list(numbers) == list(range(8_999, -1, -1))
    assert sum(queries.standing(target).posted.minor for target in targets) == 9_000
    again = ledger.post_many(drafts)
    assert again[:9_000] == answers[:9_000]
    assert all(answer.replayed for answer in again[:9_000])
