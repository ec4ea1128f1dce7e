"""Texts and details of acts: what has one spelling comes back to the letter, all else is refused."""

from datetime import date

import pytest

from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from paymentsite.ledger.services import Draft, Move, Terms
from tests.factories import cny, fund, points, purse
from tests.ledger.drafting import MOVE, Coin, draft, why


def nested(depth: int) -> dict[str, object]:
    value: object = 1
    for _ in range(depth):
        value = {"in": value}
    return {"in": value}


@pytest.mark.parametrize(
    "details",
    [
        {"a": 1.5},
        {"a": float("nan")},
        {"a": b"bytes"},
        {"a": (1, 2)},
        {"a": {"b": [1, {"c": 0.1}]}},
        {1: "a"},
        {"a": {None: 1}},
        {"a": {1, 2}},
        {"a": date(2026, 1, 1)},
        {"a": Money(1, "CNY")},
        {"a": Coin.ONE},
        {"a": "\x00"},
        {"a": ["b", "c\x00d"]},
        {"\x00": 1},
        {"a": "\ud800"},
        {"\udfff": 1},
        {"a": 2**63},
        {"a": -(2**63) - 1},
        pytest.param({"a": 10**5_000}, id="endless number"),
        pytest.param(nested(20), id="too deep"),
        pytest.param(nested(5_000), id="bottomless"),
    ],
)
def test_details_hold_only_what_has_one_spelling(details):
    position, reason = why(draft(MOVE, details=details))

    assert (position, reason[:12]) == (0, "details hold")


@pytest.mark.parametrize("details", [[], "text", 1, True])
def test_details_are_an_object(details):
    assert why(draft(MOVE, details=details))[1].startswith("details hold")


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"": ""},
        {"note": "汉字 🎉 \t\n\\ \" ' \u2028 \x7f", "list": [], "nothing": None, "yes": True, "no": False},
        {"least": -(2**63), "most": 2**63 - 1, "nested": [[{"a": [1, "1", None]}]]},
        nested(19),
    ],
    ids=["empty", "empty key", "texts", "numbers", "deep"],
)
@pytest.mark.django_db
def test_details_come_back_as_they_went(details):
    source, target = purse(100), purse()

    ledger.post(Move(cny(1), source, target), reference="swift", details=details)
    ledger.post_many(
        [Draft(entries=(Move(cny(1), source, target),), reference=f"{i}", details=details) for i in range(21)]
    )

    assert [j.details for j in Journal.objects.exclude(scope="test")] == [details] * 22
    assert ledger.post(Move(cny(1), source, target), reference="20", details=details).replayed


@pytest.mark.parametrize(
    "reference",
    [
        "x" * 255,
        "汉" * 255,
        "🎉" * 255,
        "\\N",
        "\\.",
        "\\",
        "a\\tb\\\\n",
        "'; DROP TABLE ledger_journal; --",
        '"quoted" %s %(a)s {0} {{}}',
        " leading and trailing ",
        "é",
        "e\u0301",
        "Ǆ ß ﬁ",
        "-1",
        "NULL",
    ],
)
@pytest.mark.django_db
def test_hostile_reference_is_kept_to_the_letter(reference):
    source, target = purse(100), purse()
    move = Move(cny(1), source, target)
    others = [Draft(entries=(move,), reference=f"other {i}") for i in range(25)]

    swift = ledger.post(move, reference=reference)
    few = ledger.post_many([Draft(entries=(move,), reference=reference, scope="few")])
    copied = ledger.post_many([*others, Draft(entries=(move,), reference=reference, scope="copied")])

    first = [swift, few[0], copied[-1]]
    again = [ledger.post(move, reference=reference, scope=scope) for scope in ("ledger", "few", "copied")]
    assert again == first
    assert all(answer.replayed for answer in again)
    assert Journal.objects.filter(reference=reference).count() == 3


@pytest.mark.parametrize("text", ["\\N", "\\", "a\\tb", "汉字 🎉", "' \" %s"])
@pytest.mark.django_db
def test_every_text_of_an_act_survives_each_way_of_writing(text):
    source, target = purse(100), purse()
    fields = {"scope": text, "kind": text, "source": text, "by": Actor("partner", text), "details": {text: text}}
    move = Move(cny(1), source, target)

    ledger.post(move, reference="swift", **fields)
    ledger.post_many([Draft(entries=(move,), reference="few", **fields)])
    ledger.post_many([Draft(entries=(move,), reference=f"copied {i}", **fields) for i in range(25)])

    written = Journal.objects.filter(scope=text)
    assert written.count() == 27
    assert {(j.kind, j.source, j.actor, str(j.details)) for j in written} == {
        (text, text, f"partner:{text}", str({text: text}))
    }


@pytest.mark.django_db
def test_origin_of_a_lot_survives_to_the_letter():
    account_ = points()
    for origin in ("\\N", "汉字 🎉", "x" * 80, "' \" %s"):
        fund(account_, 5, Terms(origin))
        fund(account_, 5, Terms(origin))

    assert set(account_.lot_rows.values_list("origin", "issued_minor")) == {
        ("\\N", 10),
        ("汉字 🎉", 10),
        ("x" * 80, 10),
        ("' \" %s", 10),
    }
