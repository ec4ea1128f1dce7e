"""Uses of cards under many hands at once; and each race turns red with the bug that it is there to find."""

import pytest

from cards.queries import deciding
from cards.services import uses
from tests.cards import use_races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RACES = [
    use_races.one_use,
    use_races.so_many_uses,
    use_races.daily_limit,
    use_races.limit_of_all_cards,
    use_races.last_of_the_balance,
    use_races.one_message,
    use_races.taken_cancelled_and_lapsed,
    use_races.first_merchant,
    use_races.guesses_at_a_pin,
]


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_exactly_what_is_allowed_happens(together, race, count):
    race(together, count)


# What the ledger guards by itself is guarded without.
GUARDED = {use_races.last_of_the_balance}


@pytest.fixture
def unheld(monkeypatch):
    """Cards are read as they stand, and nobody is kept from reading them at the same time."""

    def card_of(told):
        rows = uses.Card.objects.select_related("member", "product", "wallet", "account", "code_key")
        return rows.filter(number_digest=told.number).first() if told.number else rows.get(public_id=told.card)

    monkeypatch.setattr(uses, "card_of", card_of)


@pytest.mark.usefixtures("unheld", "unlocked")
@pytest.mark.parametrize("race", [race for race in RACES if race not in GUARDED], ids=lambda race: race.__name__)
def test_without_a_lock_it_does_not(together, race):
    turns_red(race, together, 8)


@pytest.mark.usefixtures("floorless", "unheld", "unlocked")
def test_without_a_lock_and_a_floor_more_is_set_aside_than_there_is(together):
    turns_red(use_races.last_of_the_balance, together, 8)


@pytest.fixture
def known_too_early(monkeypatch):
    """What a decision looks at is read before its card is locked."""
    locked = uses.card_of
    looked = deciding.know
    kept = {}

    def card_of(told):
        unlocked = uses.Card.objects.select_related("member", "product", "wallet", "account", "code_key").get(
            number_digest=told.number
        )
        kept[told.message_id] = looked(
            unlocked,
            processor=told.processor,
            message_id=told.message_id,
            reference=told.reference,
            source="",
            now=told.told_at,
        )
        return locked(told)

    monkeypatch.setattr(uses, "card_of", card_of)
    monkeypatch.setattr(deciding, "know", lambda _card, **facts: kept[facts["message_id"]])


@pytest.mark.usefixtures("known_too_early")
@pytest.mark.parametrize("race", [use_races.daily_limit, use_races.limit_of_all_cards])
def test_what_is_known_before_the_lock_is_out_of_date(together, race):
    turns_red(race, together, 8)
