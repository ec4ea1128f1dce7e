"""Refusals by what is there: funds, floors, holds, reversals, lots. They change nothing but that they are kept."""

from datetime import timedelta

import pytest

from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.book import BALANCE_MAX
from paymentsite.ledger.entries import Posted
from paymentsite.ledger.models import Balance, Hold
from paymentsite.ledger.refusals import (
    AccountFull,
    HoldExceeded,
    HoldNotDue,
    HoldNotOpen,
    InsufficientFunds,
    NothingLapsed,
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
from tests.ledger.refusing import assert_only_the_refusal, dead_lots, either_way, refused

pytestmark = pytest.mark.django_db


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
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("minor", [BALANCE_MAX + 1, -BALANCE_MAX - 1])
def test_deferred_account_beyond_what_can_be_rolled_up_takes_no_more(side, minor, ask, book):
    one, other = hot(), hot()
    Balance.objects.filter(account=one).update(posted_minor=minor)
    before = book()

    move = Move(cny(1), one, other) if side == "source" else Move(cny(1), other, one)

    assert refused(ask(move)) == (AccountFull, {"account": str(one.public_id)})
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
