"""What the status of an account lets be done on it, by every kind of entry."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Entry, Posted
from paymentsite.ledger.models import Account, Balance
from paymentsite.ledger.refusals import (
    AccountNotOpen,
)
from paymentsite.ledger.services import (
    Capture,
    Expire,
    Extend,
    Increase,
    Move,
    Place,
    Release,
    Undo,
)
from tests.factories import cny, hold, hot, postings_of, purse
from tests.ledger.refusing import assert_only_the_refusal, dead_lots, either_way, refused

pytestmark = pytest.mark.django_db

OPEN, NO_DEBIT, FROZEN, CLOSED = Balance.Status
Case = tuple[Entry, Account]

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
    now = clock.now()
    with clock.standing(now - timedelta(hours=1)):
        held = hold(purse(100), 10, expires_at=now)
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
