"""A refused act that names what it had made itself: that went back with it, so it can be asked for again."""

import pytest

from paymentsite.core.acts import act
from paymentsite.core.errors import Refused
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Hold, Journal
from paymentsite.ledger.refusals import HoldExceeded, InsufficientFunds, ReversalExceeds
from tests.factories import cny, fund, purse

pytestmark = pytest.mark.django_db(transaction=True)


class NotToday(Refused):
    code = "test_not_today"
    sentence = "Not today."


@pytest.fixture
def sides():
    a, b = purse(), purse()
    fund(a, 100)
    return a, b


@act
def capture_too_much(a, b):
    hold = ledger.post(ledger.Place(cny(10), a), reference="placed").holds[0]
    ledger.post(ledger.Capture(cny(11), Hold.objects.get(pk=hold), b), reference="refused")


@act
def undo_too_much(a, b):
    posted = ledger.post(ledger.Move(cny(10), a, b), reference="moved")
    posting = Journal.objects.get(pk=posted.journal_id).postings.get()
    ledger.post(ledger.Undo(posting, cny(11)), reference="refused")


@act
def spend_from_a_new_account(a, b):
    new = ledger.open_account(owner="test:new", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)
    ledger.post(ledger.Move(cny(1), new, b), reference="refused")


@act
def follow_a_new_journal(a, b):
    first = ledger.post(ledger.Move(cny(10), a, b), reference="moved")
    ledger.post(ledger.Move(cny(1000), a, b), reference="refused", parent=first.journal_id)


@pytest.mark.parametrize(
    ("flow", "refusal"),
    [
        (capture_too_much, HoldExceeded),
        (undo_too_much, ReversalExceeds),
        (spend_from_a_new_account, InsufficientFunds),
        (follow_a_new_journal, InsufficientFunds),
    ],
)
def test_it_is_refused_the_same_way_each_time_and_leaves_nothing(sides, flow, refusal):
    before = Journal.objects.count()

    for _ in range(3):
        with pytest.raises(refusal):
            flow(*sides)

    assert Journal.objects.count() == before


def test_refusal_in_a_services_own_words_is_kept_all_the_same(sides):
    a, b = sides

    @act
    def buy():
        try:
            ledger.post(ledger.Move(cny(101), a, b), reference="dear")
        except InsufficientFunds as short:
            raise NotToday from short

    with pytest.raises(NotToday):
        buy()
    fund(a, 100)

    assert Journal.objects.refused().filter(reference="dear").count() == 1
    with pytest.raises(NotToday):
        buy()
