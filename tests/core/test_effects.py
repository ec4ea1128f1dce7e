"""Effects are told line by line, and no act has a line without words in both languages."""

import re
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.utils import translation

from members.models import EarnRule, PointValue, Tier
from paymentsite.core.effects import APPROVAL, Line, as_begin, check, columns, values
from paymentsite.core.errors import worded
from paymentsite.core.money import Money
from paymentsite.core.services.proposals import all_declared

AT = datetime(2026, 11, 30, 8, tzinfo=UTC)
CHINESE = re.compile("[\u4e00-\u9fff]")
ONE = {"one": Line("one")}
ACTS = [act for act in all_declared() if not act.name.startswith("test.")]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    call_command("messages", "compile")


@pytest.mark.parametrize(
    "effect",
    [{}, {"one": 1}, {"one": {"one": {"amount": 1, "currency": "CNY"}}}, {"one": [{"one": 1}]}],
)
def test_lines_that_are_declared_may_be_told_at_any_depth(effect):
    check(effect, ONE)


@pytest.mark.parametrize("effect", [{"two": 1}, {"one": {"two": 1}}, {"one": [{"one": [{"two": 1}]}]}])
def test_line_that_nobody_declared_is_an_error(effect):
    with pytest.raises(TypeError, match="no line is declared for two"):
        check(effect, ONE)


def test_columns_are_lines_with_their_labels_and_the_words_of_their_choices():
    lines = columns(EarnRule, ["kind", "points", "ends_at"])

    assert {name: str(line.label) for name, line in lines.items()} == {
        "kind": "earned",
        "points": "points",
        "ends_at": "until",
    }
    assert worded("amount", lines["kind"].words) == str(EarnRule.Kind.AMOUNT.label)
    assert worded("unheard_of", lines["kind"].words) == "unheard_of"
    assert "2026" in worded(AT.isoformat(), lines["ends_at"].words)


def test_shares_are_told_in_percent():
    lines = columns(Tier, ["earn_bp", "fee_discount_bp"])

    assert [worded(bp, lines["earn_bp"].words) for bp in (12_000, 12_50, 0)] == ["120 %", "12.5 %", "0 %"]
    assert str(lines["fee_discount_bp"].label) == "fee discount"


def test_smallest_parts_are_told_as_amounts():
    row = PointValue(points=100, value_minor=1_00, currency="CNY", starts_at=AT)

    assert values(row, ["points", "value_minor"]) == {"points": 100, "value_minor": Money(1_00, "CNY")}


def test_beginning_with_the_approval_is_told_as_that():
    with translation.override("zh-hans"):
        assert as_begin(APPROVAL) == "批准之时"
        assert as_begin(AT.isoformat()).startswith("2026年")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_act_and_each_line_of_its_effect_are_told_in_chinese_too(act):
    with translation.override("zh-hans"):
        told = [str(act.title), *(str(line.label) for line in act.lines.values())]

    assert [each for each in told if not CHINESE.search(each)] == []
