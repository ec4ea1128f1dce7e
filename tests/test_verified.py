"""The look at what acts left, shortened by what cannot have changed, finds all that the whole one does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cards.models import Card
from paymentsite.core import verification
from paymentsite.ledger.models import Balance
from tests import verified
from tests.cards.using import ask, spending
from tests.verified import BY_ACTS, clean
from tests.wallets.factories import given, wallet
from wallets.models import Gift

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unread(monkeypatch):
    monkeypatch.setattr(verified, "_reads", {})


def asked() -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert clean()
    return len(queries)


def test_what_is_empty_is_asked_once():
    wallet(100)

    first, second = asked(), asked()

    assert second < first * 3 / 4


def test_what_was_empty_and_is_filled_is_asked_again(unprotected):
    purse = wallet(500)
    assert [clean(), clean()] == [True, True]
    gift = given(100, purse).gift
    assert clean()

    with unprotected():
        Gift.objects.filter(pk=gift.pk).update(amount_minor=99)

    assert not clean()


def test_what_is_found_alone_is_found_each_time(unprotected):
    purse = wallet(500)
    with unprotected():
        Balance.objects.filter(account=purse.account).update(posted_minor=1)

    assert [clean(), clean()] == [False, False]


def test_it_says_what_the_whole_look_says(unprotected):
    card = spending(100_00)
    ask(card, 10_00)
    assert clean()
    for broken in (Card.objects.filter(pk=card.pk), Balance.objects.filter(account=card.account)):
        before = broken.values().get()
        column = {"counted_minor": 1} if broken.model is Card else {"posted_minor": 200_00}
        with unprotected():
            broken.update(**column)
        assert clean() is (verification.discover().run(only=BY_ACTS).findings == []) is False
        with unprotected():
            broken.update(**{name: before[name] for name in column})
        assert clean()
