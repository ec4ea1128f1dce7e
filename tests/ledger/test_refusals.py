"""Refusals that depend on how things stand: when they come, that they change nothing, and that they are final."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from paymentsite.core import clock
from paymentsite.core.acts import act
from paymentsite.core.errors import DomainError, Refused
from paymentsite.ledger import services as ledger
from paymentsite.ledger.book import BALANCE_MAX
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Account, Balance, Hold, Journal, Unsealed
from paymentsite.ledger.refusals import (
    AccountFull,
    AccountNotOpen,
    HoldExceeded,
    HoldNotDue,
    HoldNotOpen,
    InsufficientFunds,
    NothingLapsed,
    ReferenceConflict,
    ReversalExceeds,
)
from paymentsite.ledger.services import (
    Capture,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Terms,
    Undo,
)
from tests.factories import cny, fund, hold, hot, points, postings_of, pts, purse

pytestmark = pytest.mark.django_db

OPEN, NO_DEBIT, FROZEN, CLOSED = Balance.Status
Case = tuple[Entry, Account]


def singly(*entries: Entry, reference: str = "r") -> Posted | DomainError:
    """What ``post`` answers."""
    try:
        return ledger.post(*entries, reference=reference)
    except DomainError as refusal:
        return refusal


def in_bulk(*entries: Entry, reference: str = "r") -> Posted | DomainError:
    """What ``post_many`` answers for one."""
    return ledger.post_many([Draft(entries=entries, reference=reference)])[0]


either_way = pytest.mark.parametrize("ask", [singly, in_bulk])


def refused(answer: Posted | DomainError) -> tuple[type[DomainError], dict[str, object]]:
    assert isinstance(answer, DomainError), answer
    return type(answer), answer.facts


# Whose status matters to each kind of entry, and with which statuses it is done all the same.


def moved() -> tuple[Account, Account, Move]:
    source, target = purse(100), purse()
    return source, target, Move(cny(10), source, target)


def move_source() -> Case:
    source, _, move = moved()
    return move, source


def move_target() -> Case:
    _, target, move = moved()
    return move, target


def move_hot_source() -> Case:
    source = hot()
    return Move(cny(10), source, purse()), source


def move_hot_target() -> Case:
    target = hot()
    return Move(cny(10), purse(100), target), target


def empty_source() -> Case:
    source = purse()
    return Move(cny(10), source, purse()), source


def undo_of(side: str) -> Case:
    source, target, move = moved()
    posting = postings_of(ledger.post(move, reference="first"))[0]
    return Undo(posting), {"came to": target, "came from": source}[side]


def undo_debited() -> Case:
    return undo_of("came to")


def undo_credited() -> Case:
    return undo_of("came from")


def dead_lots() -> tuple[Account, Lapse]:
    account, today = points(), clock.today()
    fund(account, 5, Terms("x", today - timedelta(9), today - timedelta(1)))
    return account, Lapse(account, hot(unit="PTS"), today)


def lapse_source() -> Case:
    account, lapse = dead_lots()
    return lapse, account


def lapse_target() -> Case:
    _, lapse = dead_lots()
    return lapse, lapse.target


def place() -> Case:
    account = purse(100)
    return Place(cny(10), account), account


def increase() -> Case:
    held = hold(purse(100), 10)
    return Increase(cny(10), held), held.account


def extend() -> Case:
    held = hold(purse(100), 10)
    return Extend(held, clock.now() + timedelta(1)), held.account


def capture_source() -> Case:
    held = hold(purse(100), 10)
    return Capture(cny(10), held, purse()), held.account


def capture_target() -> Case:
    held, target = hold(purse(100), 10), purse()
    return Capture(cny(10), held, target), target


def capture_beyond() -> Case:
    held = hold(purse(100), 10)
    return Capture(cny(12), held, purse(), tolerance=cny(5)), held.account


def release() -> Case:
    held = hold(purse(100), 10)
    return Release(held), held.account


def expire() -> Case:
    held = hold(purse(100), 10, expires_at=clock.now() + timedelta(microseconds=1))
    return Expire(held), held.account


DONE_WITH: dict[Callable[[], Case], set[str]] = {
    move_source: {OPEN},
    move_target: {OPEN, NO_DEBIT},
    move_hot_source: {OPEN},
    move_hot_target: {OPEN, NO_DEBIT},
    empty_source: set(),
    undo_debited: {OPEN},
    undo_credited: {OPEN, NO_DEBIT},
    lapse_source: {OPEN, NO_DEBIT},
    lapse_target: {OPEN, NO_DEBIT},
    place: {OPEN},
    increase: {OPEN},
    extend: {OPEN, NO_DEBIT, FROZEN},
    capture_source: {OPEN, NO_DEBIT},
    capture_target: {OPEN, NO_DEBIT},
    capture_beyond: {OPEN},
    release: {OPEN, NO_DEBIT, FROZEN},
    expire: {OPEN, NO_DEBIT, FROZEN},
}
MAY_BE_CLOSED = {move_target, move_hot_source, move_hot_target, empty_source, lapse_target, capture_target}


@either_way
@pytest.mark.parametrize(
    ("case", "status"),
    [
        (case, status)
        for case in DONE_WITH
        for status in Balance.Status
        if status != CLOSED or case in MAY_BE_CLOSED
        if (case, status) != (empty_source, OPEN)
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_status_of_an_account_decides_what_is_done_on_it(case, status, ask, book):
    entry, account = case()
    Balance.objects.filter(pk=account.pk).update(status=status)
    before = book()

    answer = ask(entry)

    if status in DONE_WITH[case]:
        assert isinstance(answer, Posted)
    else:
        assert refused(answer) == (AccountNotOpen, {"account": str(account.public_id), "status": status})
        assert_only_the_refusal(before, book())
        assert refused(ask(entry)) == refused(answer)


def assert_only_the_refusal(before, after):
    """Row by row the book is what it was, but for the record that something was refused."""
    journal, unsealed = Journal._meta.db_table, Unsealed._meta.db_table
    new = [row for row in after[journal] if row not in before[journal]]
    waiting = [row for row in after[unsealed] if row not in before[unsealed]]
    assert [row[0] for row in new] == [row[0] for row in waiting]
    assert len(new) == 1
    assert Journal.objects.refused().filter(reference="r").count() == 1
    assert {**after, journal: before[journal], unsealed: before[unsealed]} == before
    assert [row for row in after[journal] if row in before[journal]] == before[journal]


# Funds, floors, fullness


@either_way
@pytest.mark.parametrize(
    ("holding", "floor", "asked", "available", "short"),
    [
        (0, 0, 1, 0, 1),
        (10, 0, 11, 10, 1),
        (10, 5, 6, 5, 1),
        (0, -100, 101, 100, 1),
        (10, -100, 10**15, 110, 10**15 - 110),
    ],
)
@pytest.mark.parametrize("what", ["move", "place"])
def test_what_is_not_there_cannot_be_moved_or_held(what, holding, floor, asked, available, short, ask, book):
    source, target = purse(holding, floor_minor=min(floor, 0)), purse()
    Balance.objects.filter(pk=source.pk).update(floor_minor=floor)
    before = book()

    answer = ask(Move(cny(asked), source, target) if what == "move" else Place(cny(asked), source))

    wire = {"account": str(source.public_id)}
    for name, minor in (("available", available), ("asked", asked), ("short", short)):
        wire[name] = {"amount": minor, "currency": "CNY"}
    assert refused(answer) == (InsufficientFunds, wire)
    assert_only_the_refusal(before, book())


@either_way
def test_what_is_held_cannot_be_moved(ask):
    source, target = purse(100), purse()
    hold(source, 60)

    assert refused(ask(Move(cny(41), source, target)))[1]["available"] == {"amount": 40, "currency": "CNY"}
    assert isinstance(ask(Move(cny(40), source, target), reference="less"), Posted)


@either_way
def test_what_comes_in_pays_for_what_goes_out_of_the_same_act(ask):
    source, between, target = purse(10), purse(), purse()

    answer = ask(Move(cny(10), between, target), Move(cny(10), source, between))

    assert answer.balances == {source.pk: 0, between.pk: 0, target.pk: 10}


@either_way
def test_first_account_of_the_act_that_is_short_is_named(ask):
    one, other, target = purse(), purse(), purse()

    _, facts = refused(ask(Move(cny(2), other, target), Move(cny(3), one, target)))

    assert facts["account"] == str(other.public_id)


@either_way
def test_account_without_a_floor_goes_as_low_as_it_must(ask):
    source = purse(floor_minor=None)

    assert ask(Move(cny(10**15), source, hot())).balances == {source.pk: -(10**15)}


@either_way
@pytest.mark.parametrize("side", ["source", "target"])
def test_account_that_is_full_takes_no_more(side, ask, book):
    account = purse(floor_minor=None)
    Balance.objects.filter(pk=account.pk).update(posted_minor=BALANCE_MAX if side == "target" else -BALANCE_MAX)
    ends = (account, hot()) if side == "source" else (hot(), account)
    before = book()

    assert refused(ask(Move(cny(1), *ends))) == (AccountFull, {"account": str(account.public_id)})
    assert_only_the_refusal(before, book())


@either_way
def test_account_without_a_floor_holds_only_what_can_be_counted(ask, book):
    account = purse(floor_minor=None)
    Balance.objects.filter(pk=account.pk).update(held_minor=BALANCE_MAX)
    before = book()

    assert refused(ask(Place(cny(1), account))) == (AccountFull, {"account": str(account.public_id)})
    assert_only_the_refusal(before, book())


# Holds, reversals, lots


@either_way
@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (lambda held: Capture(cny(11), held, purse()), HoldExceeded),
        (lambda held: Capture(cny(13), held, purse(), tolerance=cny(2)), HoldExceeded),
        (lambda held: Capture(cny(10**15), held, purse(), final=True), HoldExceeded),
        (lambda held: Release(held, cny(11)), HoldExceeded),
        (Expire, HoldNotDue),
        (lambda held: Increase(cny(91), held), InsufficientFunds),
        (lambda held: Capture(cny(102), held, purse(), tolerance=cny(200)), InsufficientFunds),
    ],
    ids=["capture", "tolerance", "final", "release", "expire", "increase", "funds"],
)
def test_hold_gives_no_more_than_it_may(entry, code, ask, book):
    asked = entry(hold(purse(100), 10))
    before = book()

    assert refused(ask(asked))[0] is code
    assert_only_the_refusal(before, book())


@either_way
def test_hold_counts_only_as_far_as_can_be_counted(ask, book):
    held = hold(purse(100), 10)
    Hold.objects.update(authorised_minor=BALANCE_MAX, captured_minor=BALANCE_MAX - 10)
    before = book()

    assert refused(ask(Increase(cny(1), held))) == (AccountFull, {"account": str(held.account.public_id)})
    assert_only_the_refusal(before, book())


def ended(how: str):
    held = hold(purse(100), 10, expires_at=clock.now() + timedelta(hours=1))
    end = {
        "captured": Capture(cny(10), held, purse()),
        "released": Release(held),
        "expired": Expire(held),
        "over": None,
    }[how]
    if end:
        with clock.standing(clock.now() + timedelta(hours=2 if how == "expired" else 0)):
            ledger.post(end, reference="end")
    return held


@either_way
@pytest.mark.parametrize(
    "entry",
    [
        lambda held: Increase(cny(1), held),
        lambda held: Extend(held, clock.now() + timedelta(1)),
        lambda held: Capture(cny(1), held, purse()),
        Release,
        Expire,
    ],
    ids=["increase", "extend", "capture", "release", "expire"],
)
@pytest.mark.parametrize("state", ["captured", "released", "expired"])
def test_hold_that_has_ended_stays_ended(state, entry, ask):
    held = ended(state)

    assert refused(ask(entry(held))) == (HoldNotOpen, {"hold": str(held.pk), "state": state})


@either_way
@pytest.mark.parametrize(
    "entry",
    [
        lambda held: Increase(cny(1), held, clock.now() + timedelta(1)),
        lambda held: Extend(held, clock.now() + timedelta(1)),
        lambda held: Capture(cny(1), held, purse()),
    ],
    ids=["increase", "extend", "capture"],
)
def test_hold_whose_time_is_over_is_over_though_nothing_has_expired_it(entry, ask):
    held = ended("over")

    with clock.standing(held.expires_at):
        assert refused(ask(entry(held))) == (HoldNotOpen, {"hold": str(held.pk), "state": "expired"})
        assert isinstance(ask(Expire(held), reference="now"), Posted)


@either_way
def test_hold_that_is_not_due_tells_until_when_it_lives(ask):
    until = clock.now() + timedelta(hours=1)
    timed, endless = hold(purse(100), 10, expires_at=until), hold(purse(100), 10)

    assert refused(ask(Expire(timed))) == (HoldNotDue, {"hold": str(timed.pk), "expires_at": until.isoformat()})
    assert refused(ask(Expire(endless), reference="2")) == (
        HoldNotDue,
        {"hold": str(endless.pk), "expires_at": "ever"},
    )


@either_way
@pytest.mark.parametrize(("before_", "asked", "left"), [([], 11, 10), ([4, 4], 3, 2), ([10], None, 0), ([10], 1, 0)])
def test_reversal_never_gives_more_than_was_moved(before_, asked, left, ask, book):
    posting = postings_of(ledger.post(Move(cny(10), purse(50), purse(50)), reference="first"))[0]
    for number, part in enumerate(before_):
        ledger.post(Undo(posting, cny(part)), reference=f"part {number}")
    before = book()

    answer = ask(Undo(posting, None if asked is None else cny(asked)))

    facts = {"left": cny(left).to_wire(), "asked": cny(asked or 10).to_wire()}
    assert refused(answer) == (ReversalExceeds, facts)
    assert_only_the_refusal(before, book())


@either_way
def test_reversals_of_one_posting_count_together_within_an_act(ask):
    posting = postings_of(ledger.post(Move(cny(10), purse(50), purse(50)), reference="first"))[0]

    assert refused(ask(Undo(posting, cny(6)), Undo(posting, cny(5))))[0] is ReversalExceeds
    assert isinstance(ask(Undo(posting, cny(6)), Undo(posting, cny(4)), reference="2"), Posted)


@either_way
def test_reversal_of_what_was_spent_meanwhile_is_refused(ask, book):
    target = purse()
    posting = postings_of(ledger.post(Move(cny(10), purse(50), target), reference="first"))[0]
    ledger.post(Move(cny(1), target, hot()), reference="spent")
    before = book()

    assert refused(ask(Undo(posting)))[0] is InsufficientFunds
    assert_only_the_refusal(before, book())


@either_way
def test_lapse_finds_only_what_has_died(ask, book):
    account, today = points(), clock.today()
    fund(account, 5, Terms("x", today, today))
    before = book()

    answer = ask(Lapse(account, hot(unit="PTS"), today + timedelta(365)))

    assert refused(answer) == (NothingLapsed, {"account": str(account.public_id)})
    assert book()["ledger_lot"] == before["ledger_lot"]


@either_way
@pytest.mark.parametrize("part", [None, 2])
def test_what_lapsed_does_not_come_back(part, ask, book):
    _, lapse = dead_lots()
    posting = postings_of(ledger.post(lapse, reference="lapse"))[0]
    before = book()

    answer = ask(Undo(posting, None if part is None else pts(part)))

    assert refused(answer) == (ReversalExceeds, {"left": pts(0).to_wire(), "asked": pts(part or 5).to_wire()})
    assert_only_the_refusal(before, book())


@either_way
@pytest.mark.parametrize("minor", [1, 10**15])
def test_lot_counts_only_as_far_as_can_be_counted(minor, ask, book):
    account, terms = points(), Terms("x")
    fund(account, 5, terms)
    account.lot_rows.update(issued_minor=BALANCE_MAX, used_minor=BALANCE_MAX - 5)
    before = book()

    answer = ask(Move(pts(minor), ledger.house("cash", "PTS"), account, terms))

    assert refused(answer) == (AccountFull, {"account": str(account.public_id)})
    assert_only_the_refusal(before, book())


# Final for the reference


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
