"""Whoever decides that a limit ends reads what holds of its members then."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from members.models import Limit
from members.services import limit_rules
from members.services.limits import LimitMissing
from paymentsite.core import clock
from paymentsite.core.layout import laid_out
from paymentsite.core.models import Approval
from paymentsite.core.services.proposals import lines_of
from tests.factories import cny
from tests.members.limiting import NOON, cap, someone, take, tier
from tests.wallets.deciding import decide, staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with clock.standing(NOON):
        yield


def ending(limit: Limit) -> Approval:
    return limit_rules.end(limit=limit, by=staff(), reason="over")


def then(limit: Limit) -> list[tuple[Any, Any]]:
    """For whom, and what holds: amounts in smallest parts."""
    told = ending(limit).effect["then"]
    return [
        (
            each["whom"]["row"].partition(":")[0] if isinstance(each["whom"], dict) else each["whom"],
            each["cap"]["amount"] if isinstance(each["cap"], dict) else each["cap"],
        )
        for each in told
    ]


def test_of_a_member_their_tiers_limit_holds_then_else_their_levels_else_everybodys():
    ada, bronze = someone(level=2), tier("bronze", rank=0)
    own = cap(1_000, member=ada)
    assert then(own) == [("members.member", "nothing")]

    cap(10)
    cap(11, level=1)
    assert then(own) == [("members.member", 10)]
    cap(12, level=2)
    assert then(own) == [("members.member", 12)]
    cap(13, tier=bronze)
    cap(14, tier=tier("gold", rank=9, threshold=1_000))
    assert then(own) == [("members.member", 13)]


def test_what_is_told_is_what_holds():
    ada = someone(level=1)
    own = cap(1_000, member=ada)
    proposal = ending(own)
    assert proposal.effect["then"][0]["cap"] == "nothing"
    decide(proposal)

    with pytest.raises(LimitMissing):
        take(ada, 1)


def test_of_a_tier_it_is_told_by_levels_where_they_differ():
    gold = tier("gold", rank=9)
    own = cap(1_000, tier=gold)
    assert then(own) == [("members.tier", "nothing")]
    cap(5)
    assert then(own) == [("members.tier", 5)]

    cap(7, level=2)
    assert then(own) == [("level:0", 5), ("level:1", 5), ("level:2", 7), ("level:3", 5)]


def test_of_a_level_everybodys_holds_then_and_of_everybody_none():
    everybodys, own = cap(5), cap(7, level=1)

    assert then(own) == [("level:1", 5)]
    assert then(everybodys) == [("any", "nothing")]


@pytest.mark.parametrize(
    ("ended", "other", "told"),
    [
        ({}, {"period": "month"}, "others"),
        ({"kind": "transfer"}, {}, "others"),
        ({"kind": "transfer"}, {"kind": "withdrawal"}, "nothing"),
        ({}, {"kind": "withdrawal"}, "others"),
        ({"measure": "count"}, {}, "others"),
        ({"measure": "count"}, {"measure": "count", "period": "month"}, "nothing"),
        ({}, {"measure": "balance", "period": "always"}, "nothing"),
        ({"measure": "balance", "period": "always"}, {}, "nothing"),
        ({}, {"period": "month", "currency": "EUR"}, "nothing"),
        ({}, {"period": "month", "level": 3}, "nothing"),
        ({"level": 3}, {"period": "month", "level": 3}, "others"),
    ],
)
def test_where_no_other_covers_the_same_it_is_said_whether_anything_is_allowed(ended, other, told):
    cap(5, **other)

    assert [holds for _whom, holds in then(cap(9, **ended))] == [told]


def test_limit_that_is_yet_to_come_leaves_what_holds_at_its_beginning():
    cap(5, ends_at=NOON + timedelta(days=1))
    later = cap(9, starts_at=NOON + timedelta(days=1))

    assert then(later) == [("any", "nothing")]


def test_it_is_told_in_words_of_both_languages():
    cap(5, level=2)
    proposal = ending(cap(9, tier=tier("gold", rank=9)))
    call_command("messages", "compile")

    def read() -> str:
        return laid_out(proposal.effect, lines_of(proposal.act))

    assert "when it has ended" in read()
    assert "nothing of it is allowed any more" in read()
    with translation.override("zh-hans"):
        assert "此后不再允许" in read()
        assert str(cny(5).decimal) in read()
