"""Races on PostgreSQL: N at once by every way in, with what is allowed to come of it. Controls stand beside."""

from collections.abc import Iterator

import pytest

from tests.ledger import races, races_of_parts
from tests.processes import crew

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

MANY = [2, 8, 32]
ROUNDS = [1, pytest.param(200, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def eight(django_db_setup, django_db_blocker) -> Iterator[races.Run]:
    with crew(8) as run:
        yield run


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("count", MANY)
class TestThreads:
    @pytest.mark.parametrize("hot_target", [True, False])
    def test_last_money_goes_to_exactly_those_it_is_enough_for(self, threads, count, rounds, hot_target):
        for _ in range(rounds):
            races.last_money(threads, count, hot_target=hot_target)

    def test_reference_at_once_is_done_once(self, threads, count, rounds):
        for _ in range(rounds):
            races.one_reference(threads, count)
            races.one_reference_of_many_meanings(threads, count)

    def test_refusal_at_once_is_the_first_one_for_all(self, threads, count, rounds):
        for _ in range(rounds):
            races.one_refusal(threads, count)

    @pytest.mark.parametrize("expires", [True, False])
    def test_whole_hold_ends_once(self, threads, count, rounds, expires):
        for _ in range(rounds):
            races_of_parts.whole_hold(threads, count, expires=expires)

    def test_parts_of_a_hold_add_up(self, threads, count, rounds):
        for _ in range(rounds):
            races_of_parts.parts_of_a_hold(threads, count)
            races_of_parts.captures_and_release(threads, count)

    @pytest.mark.parametrize("deferred", [True, False])
    @pytest.mark.parametrize("minor", [None, 10])
    def test_reversals_never_exceed_the_original(self, threads, count, rounds, deferred, minor):
        for _ in range(rounds):
            races_of_parts.reversals(threads, count, deferred=deferred, minor=minor)

    @pytest.mark.parametrize("accounts", [2, 10])
    def test_opposite_ways_never_wait_for_ever(self, threads, count, rounds, accounts):
        for _ in range(rounds):
            races.shuttles(threads, count, accounts=accounts, acts=5, ways=("post", "post_many"))

    def test_last_points_go_to_exactly_those_they_are_enough_for(self, threads, count, rounds):
        for _ in range(rounds):
            races_of_parts.last_points(threads, count)

    def test_points_of_one_day_are_one_lot(self, threads, count, rounds):
        for _ in range(rounds):
            races_of_parts.same_day(threads, count)

    def test_account_opened_at_once_is_one_account(self, threads, count, rounds):
        for _ in range(rounds):
            races.opening(threads, count)

    def test_nothing_is_posted_after_a_freeze(self, threads, count, rounds):
        for _ in range(rounds):
            races.freeze(threads, count)

    def test_spending_stops_at_a_floor_set_meanwhile(self, threads, count, rounds):
        for _ in range(rounds):
            races.floor(threads, count)

    def test_batches_that_share_references_do_each_once(self, threads, count, rounds):
        for _ in range(rounds):
            races.batches(threads, count)

    def test_sealing_meets_posting_and_sealing(self, threads, count, rounds):
        for _ in range(rounds):
            races.sealing(threads, count, acts=5)

    @pytest.mark.usefixtures("quick_to_see_deadlocks")
    def test_crossing_acts_are_begun_again_unseen(self, threads, count, rounds):
        for _ in range(rounds // 2):
            races.crossing_acts(threads, count, acts=max(1, 16 // count))


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("count", [2, 8])
class TestProcesses:
    def test_last_money_goes_to_exactly_those_it_is_enough_for(self, eight, count, rounds):
        for _ in range(rounds):
            races.last_money(eight, count, hot_target=True)
            races.last_money(eight, count, hot_target=False)

    def test_reference_at_once_is_done_once(self, eight, count, rounds):
        for _ in range(rounds):
            races.one_reference(eight, count)
            races.one_reference_of_many_meanings(eight, count)

    def test_opposite_ways_never_wait_for_ever(self, eight, count, rounds):
        for _ in range(rounds):
            races.shuttles(eight, count, accounts=2, acts=20, ways=("post", "post_many"))
            races.shuttles(eight, count, accounts=10, acts=20, ways=("post", "post_many"))
