"""Strays, debts and monthly fees under many hands at once; and each race turns red with the bug it is there to find."""

from itertools import count as numbers
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import QuerySet

from cards.models import CardFee, CardMessage
from cards.services import strays
from paymentsite.ledger import services as ledger
from tests.cards import settling_races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RACES = [
    settling_races.one_stray,
    settling_races.lost_once,
    settling_races.placed_or_taken_back,
    settling_races.forgiven_and_paid,
    settling_races.one_month,
]


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_exactly_what_is_allowed_happens(together, race, count):
    race(together, count)


@pytest.fixture
def referenceless(monkeypatch):
    """What is posted has another reference each time, so that the ledger does not know it again."""
    post, nth = ledger.post, numbers()

    def anew(*entries: Any, reference: str, **facts: Any) -> Any:
        return post(*entries, reference=f"{reference} {next(nth)}", **facts)

    monkeypatch.setattr(ledger, "post", anew)


@pytest.fixture
def unkept(monkeypatch):
    """Rows are read as they stand, and nobody is kept from reading them at the same time."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)


@pytest.mark.usefixtures("referenceless")
def test_stray_whose_id_is_not_its_messages_is_moved_often(together, monkeypatch, without):
    without(CardMessage, "cards_message_once")
    monkeypatch.setattr(strays, "uuid5", lambda *_names: uuid4())

    turns_red(settling_races.one_stray, together, 8)


def test_refund_that_is_not_locked_is_placed_and_taken_back_unseen(together, monkeypatch):
    monkeypatch.setattr(strays, "_lock_refunds", lambda _told: None)

    turns_red(settling_races.placed_or_taken_back, together, 8)


@pytest.mark.usefixtures("referenceless", "unkept")
def test_stray_that_is_not_locked_is_lost_often(together):
    turns_red(settling_races.lost_once, together, 8)


@pytest.mark.usefixtures("unlocked", "unkept")
def test_debt_of_a_member_who_is_not_locked_is_paid_and_lost(together):
    turns_red(settling_races.forgiven_and_paid, together, 8)


@pytest.mark.usefixtures("unlocked", "referenceless")
def test_fee_of_a_member_who_is_not_locked_is_taken_often(together, without):
    without(CardFee, "cards_cardfee_once")

    turns_red(settling_races.one_month, together, 8)
