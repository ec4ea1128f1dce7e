"""Transfers raced on PostgreSQL: exactly what is allowed comes of it, and no caller hears of how."""

import pytest

from tests.wallets import races

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

MANY = [2, 8, 32]
ROUNDS = [1, pytest.param(100, marks=pytest.mark.long)]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("count", MANY)
class TestTransfers:
    @pytest.mark.parametrize(
        "race",
        [
            races.money_for_some,
            races.one_reference,
            races.one_request,
            races.one_gift,
            races.gift_or_return,
            races.one_due_day,
            races.leaving_or_receiving,
        ],
        ids=lambda race: race.__name__,
    )
    def test_exactly_what_is_allowed_happens(self, together, count, rounds, race):
        for _ in range(rounds):
            race(together, count)

    def test_crossing_transfers_do_not_wait_for_ever(self, together, count, rounds):
        for _ in range(rounds):
            races.crossing(together, count, acts=max(2, 32 // count))
