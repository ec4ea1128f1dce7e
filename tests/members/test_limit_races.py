"""A joint limit is exactly exhausted by many at once, and not without the member's lock."""

import pytest

from members.models.members import MemberQuerySet
from tests.members import limit_races

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 30


@pytest.mark.parametrize("count", [2, 8, 32])
def test_joint_limit_is_exactly_exhausted(together, count):
    for _ in range(5):
        limit_races.joint_limit(together, count)


@pytest.mark.parametrize("count", [2, 8, 32])
def test_source_counts_once(together, count):
    limit_races.one_source(together, count)


@pytest.mark.parametrize("race", [limit_races.joint_limit, limit_races.one_source])
def test_without_the_member_s_lock_it_turns_red(together, monkeypatch, race):
    monkeypatch.setattr(MemberQuerySet, "lock", lambda self, pk: self.get(pk=pk))

    def rounds() -> None:
        for _ in range(ROUNDS):
            race(together, 8)

    with pytest.raises(AssertionError):
        rounds()
