"""Refusals keep facts, and the page that lists them is made from the code."""

import json
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext_lazy

from paymentsite.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Missing,
    Refused,
    Unavailable,
)
from paymentsite.core.money import Money, UnitMismatch, UnknownUnit


class TooCold(Refused):
    code = "sample_too_cold"
    sentence = "It is {degrees} outside, {people} stay in."
    retryable = True


class LeftOut(Invalid):
    code = "sample_left_out"
    sentence = "This field is required."  # in Django's own catalogue


class Weather(TextChoices):
    WET = "wet", gettext_lazy("This field is required.")  # in Django's own catalogue
    COLD = "cold", "below {degrees} in {place}"


class StayIn(Refused, why=Weather, place=Weather, wet=str.upper):
    code = "sample_stay_in"
    sentence = "Not today: {why}"


class StayInLonger(StayIn):
    code = "sample_stay_in_longer"
    sentence = "Not this week: {why}"


class Colour(Enum):
    RED = "red"


class Level(StrEnum):
    HIGH = "high"


def test_two_refusals_cannot_share_a_code():
    with pytest.raises(TypeError, match=r"belongs to .*TooCold"):
        type("TooHot", (Refused,), {"code": "sample_too_cold", "sentence": "It is hot."})


@pytest.mark.parametrize("body", [{"code": "Not Snake", "sentence": "x"}, {"code": ""}, {"code": "sample_mute"}])
def test_a_refusal_without_a_proper_code_or_sentence_cannot_be_declared(body):
    with pytest.raises(TypeError, match="needs a code"):
        type("Nameless", (Refused,), body)


def test_a_family_is_not_raised_itself():
    with pytest.raises(TypeError, match="family"):
        Refused()


def test_a_refusal_without_the_facts_of_its_sentence_is_a_bug():
    with pytest.raises(TypeError, match="sample_too_cold needs the facts people"):
        TooCold(degrees=3)


@pytest.mark.parametrize("fact", [1.5, object(), {1, 2}, b"bytes", [1.5], {"deep": object()}])
def test_a_fact_without_an_exact_json_form_is_a_bug(fact):
    with pytest.raises(TypeError, match="cannot be a fact"):
        TooCold(degrees=fact, people=1)


@pytest.mark.parametrize(
    ("fact", "stored", "worded"),
    [
        (None, None, "None"),
        (True, True, "True"),
        (-3, -3, "-3"),
        ("text", "text", "text"),
        (
            "nul \0, half \ud800",
            "nul \N{REPLACEMENT CHARACTER}, half ?",
            "nul \N{REPLACEMENT CHARACTER}, half ?",
        ),
        ("{degrees}", "{degrees}", "{degrees}"),
        (gettext_lazy("late"), "late", "late"),
        (Colour.RED, "red", "red"),
        (Level.HIGH, "high", "high"),
        (Decimal("1.50"), "1.50", "1.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
        (Money(1250, "CNY"), {"amount": 1250, "currency": "CNY"}, "12.50 CNY"),
        (Money(-5, "KWD"), {"amount": -5, "currency": "KWD"}, "-0.005 KWD"),
        ([Money(1, "PTS"), 2], [{"amount": 1, "currency": "PTS"}, 2], "1 PTS, 2"),
        (("a", "b"), ["a", "b"], "a, b"),
        (
            {"amount": 1, "currency": "ZZZ"},
            {"amount": 1, "currency": "ZZZ"},
            "{'amount': 1, 'currency': 'ZZZ'}",
        ),
        ({1: "x"}, {"1": "x"}, "{'1': 'x'}"),
    ],
)
def test_a_refusal_rebuilt_from_its_stored_facts_says_the_same(fact, stored, worded):
    refusal = TooCold(degrees=fact, people=2)

    assert refusal.facts == {"degrees": stored, "people": 2}
    assert str(refusal) == f"It is {worded} outside, 2 stay in."

    again = DomainError.of(refusal.code, json.loads(json.dumps(refusal.facts)))
    assert (type(again), again.facts, str(again)) == (TooCold, refusal.facts, str(refusal))


def test_a_refusal_survives_the_way_between_processes():
    refusal = pickle.loads(pickle.dumps(UnitMismatch(left="CNY", right="USD")))  # noqa: S301 - our own bytes
    assert (type(refusal), refusal.facts) == (UnitMismatch, {"left": "CNY", "right": "USD"})


def test_a_sentence_is_translated_when_it_is_read():
    refusal = LeftOut(name="amount")
    with translation.override("en"):
        assert str(refusal) == "This field is required."
    with translation.override("zh-hans"):
        assert str(refusal) == "该字段是必填项。"
    assert refusal.facts == {"name": "amount"}


@pytest.mark.parametrize("refusal", [StayIn, StayInLonger])
def test_a_fact_that_is_a_word_stays_a_code_and_is_worded_when_read(refusal):
    found = refusal(why=Weather.WET)

    assert found.facts == {"why": "wet"}
    with translation.override("zh-hans"):
        assert str(found).endswith(": 该字段是必填项。")
    assert str(found).endswith(": This field is required.")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"why": ["wet", "mild", 3]}, "This field is required., mild, 3"),
        ({"why": "mild"}, "mild"),
        ({"why": "This field is required."}, "This field is required."),
        ({"why": "{degrees}"}, "{degrees}"),
        ({"why": None}, "None"),
        ({"why": {"wet": "wet"}}, "{'wet': 'wet'}"),
        ({"why": "cold", "degrees": 3, "place": "wet"}, "below 3 in This field is required."),
        ({"why": "cold", "degrees": "{place}", "place": "{why}"}, "below {place} in {why}"),
        ({"why": UnitMismatch(left="wet", right="cold")}, "wet and cold cannot be counted together."),
    ],
)
def test_what_no_set_knows_stands_as_it_is_and_labels_speak_of_other_facts(facts, said):
    assert str(StayIn(**facts)) == f"Not today: {said}"


def test_text_that_is_no_declared_word_is_never_looked_up():
    with translation.override("zh-hans"):
        assert str(TooCold(degrees="This field is required.", people="wet")).startswith("It is This field is required.")


def test_a_label_without_the_facts_that_it_speaks_of_is_a_bug():
    with pytest.raises(TypeError, match="sample_stay_in needs the facts degrees"):
        StayIn(why="cold", place="wet")


@pytest.mark.parametrize(
    ("family", "status", "retryable"),
    [(Invalid, 400, False), (Refused, 422, False), (Conflict, 409, False), (Missing, 404, False),
     (Forbidden, 403, False), (Unavailable, 503, True)],
)  # fmt: skip
def test_a_family_says_what_a_caller_may_do(family, status, retryable):
    assert (family.status, family.retryable, family.family()) == (status, retryable, family)


def test_a_refusal_belongs_to_the_family_above_it():
    assert (TooCold.family(), TooCold.status, TooCold.retryable) == (Refused, 422, True)
    assert type("Colder", (TooCold,), {"code": "sample_colder", "sentence": "Brr."}).family() is Refused


def test_an_unknown_code_is_a_bug():
    with pytest.raises(KeyError):
        DomainError.of("sample_never_declared", {})


def test_the_catalogue_is_in_alphabetical_order():
    codes = list(DomainError.catalogue())
    assert codes == sorted(codes)
    assert DomainError.catalogue()["unknown_unit"] is UnknownUnit


def test_errors_writes_a_page_that_its_check_accepts_and_that_names_every_refusal(tmp_path):
    path, told = tmp_path / "errors.md", StringIO()

    call_command("errors", path=path, stdout=told)
    call_command("errors", check=True, path=path, stdout=told)

    assert told.getvalue() == "errors.md is up to date.\n" * 2
    page = path.read_text()
    rows = page.splitlines()
    assert "| Unavailable | 503 | yes | Not now; the same request may succeed later. |" in rows
    [mismatch] = [row for row in rows if row.startswith("| `unit_mismatch` |")]
    said = "| `unit_mismatch` | Invalid | 400 | no | {left} and {right} cannot be counted together. |"
    assert mismatch.startswith(said)
    assert "`paymentsite.core.money`, `paymentsite.core.rates`" in mismatch
    assert "sample_too_cold" not in page
    ours = [code for code, error in DomainError.catalogue().items() if not error.__module__.startswith("tests.")]
    assert len(ours) > 10
    assert [code for code in ours if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("before", [None, "# Errors\n"])
def test_errors_check_fails_when_the_page_is_missing_or_differs(tmp_path, before):
    path = tmp_path / "errors.md"
    if before is not None:
        path.write_text(before)

    with pytest.raises(CommandError, match=r"errors\.md is out of date: run manage"):
        call_command("errors", check=True, path=path)
    assert (path.read_text() if path.exists() else None) == before
