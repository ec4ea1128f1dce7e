"""Cards under many hands at once; and each race turns red with the bug that it is there to find."""

import pytest
from django.db.models import QuerySet

from cards.models import CardLoad, NumberRange
from cards.models.reveals import CardRevealQuerySet
from cards.services import loading
from tests.cards import races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RACES = [
    races.no_more_than_may_be_held,
    races.one_reference,
    races.last_numbers,
    races.loaded_while_it_ends,
    races.one_state,
    races.one_look,
]


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_exactly_what_is_allowed_happens(together, race, count):
    race(together, count)


@pytest.fixture
def range_is_not_locked(monkeypatch):
    """Who draws a number reads how many are given beside everybody else."""
    locked = QuerySet.select_for_update

    def look(rows, *args, **options):
        return rows if rows.model is NumberRange else locked(rows, *args, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", look)


@pytest.fixture
def end_is_not_looked_at(monkeypatch):
    """A card is loaded whatever became of it."""
    monkeypatch.setattr(loading, "check_living", lambda _card: None)


@pytest.fixture
def seen_is_not_looked_at(monkeypatch):
    """Whoever has a token is shown the number, whoever else was."""
    monkeypatch.setattr(CardRevealQuerySet, "open_at", lambda rows, _now: rows)


@pytest.mark.usefixtures("seen_is_not_looked_at")
def test_token_whose_use_is_not_looked_at_shows_the_number_again(together):
    turns_red(races.one_look, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_without_a_lock_more_are_held_than_may_be(together):
    turns_red(races.no_more_than_may_be_held, together, 8)


@pytest.mark.usefixtures("range_is_not_locked")
def test_range_that_is_not_locked_gives_one_number_twice_or_fails(together):
    turns_red(races.last_numbers, together, 8)


@pytest.mark.usefixtures("end_is_not_looked_at")
def test_card_whose_end_is_not_looked_at_keeps_what_comes_after(together):
    turns_red(races.loaded_while_it_ends, together, 8)
    assert CardLoad.objects.exists()


@pytest.mark.usefixtures("unlocked")
def test_without_a_lock_states_overtake_each_other(together):
    turns_red(races.one_state, together, 8)
