"""What cards may be used for: the strictest of what was set wins, and what is left can be asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from cards import control_reading, merchant_kinds
from cards.control_rules import Entry, Malformed, Rule, Use, against
from cards.messages import Merchant
from cards.models import Card, CardControls, DecisionReceipt
from cards.services import controls, issuing
from cards.services.controls import InvalidControls
from cards.services.life import Channel
from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import Money
from tests.cards.factories import card, debit, product
from tests.cards.using import DINER, HOTEL, PUMP, SHOP, ask, more, spending, tell
from tests.members.catalogue import approved, staff
from tests.wallets.factories import wallet

pytestmark = pytest.mark.django_db

MONDAY_NOON = datetime(2031, 3, 3, 12, 0, tzinfo=UTC)


def usage(**facts: Any) -> Use:
    usual = {"amount": 1, "merchant": "a", "category": "5411", "country": "CN", "currency": "CNY"}
    return Use(**{**usual, "entry": Entry.CHIP, "at": MONDAY_NOON, **facts})


def test_hours_of_a_product_are_ours_wherever_members_say_that_they_live():
    found = spending(100_00)
    hour = clock.local(clock.now()).hour
    terms = {"hours": [(hour + 1) % 24, (hour + 3) % 24]}
    people = staff("maker", "set_product_controls"), staff("checker", "approve_raised_controls")
    approved(controls.set_for_product(product=found.product, terms=terms, by=people[0], reason="by night"), people[1])

    answers = set()
    for zone in ("UTC", "Asia/Tokyo", "Asia/Kolkata", "Europe/Paris", "Pacific/Kiritimati", "America/Los_Angeles"):
        Member.objects.filter(pk=found.member_id).update(time_zone=zone)
        answers.add(ask(found, 1_00).code)

    assert answers == {"control"}


@pytest.mark.parametrize(
    ("terms", "good", "bad", "rule"),
    [
        ({"categories": {"only": ["5411"]}}, {}, {"category": "5412"}, Rule.CATEGORY),
        ({"categories": {"only": ["dining"]}}, {"category": "5812"}, {}, Rule.CATEGORY),
        ({"categories": {"never": ["gambling"]}}, {}, {"category": "7995"}, Rule.CATEGORY),
        (
            {"categories": {"only": ["travel"], "never": ["7011"]}},
            {"category": "4511"},
            {"category": "7011"},
            Rule.CATEGORY,
        ),
        ({"countries": {"only": ["CN", "HK"]}}, {"country": "HK"}, {"country": "US"}, Rule.COUNTRY),
        ({"countries": {"never": ["US"]}}, {}, {"country": "US"}, Rule.COUNTRY),
        ({"merchants": {"only": ["a"]}}, {}, {"merchant": "b"}, Rule.MERCHANT),
        ({"merchants": {"never": ["b"]}}, {}, {"merchant": "b"}, Rule.MERCHANT),
        ({"entries": ["chip", "contactless"]}, {}, {"entry": Entry.ECOMMERCE}, Rule.ENTRY),
        ({"entries": []}, None, {}, Rule.ENTRY),
        ({"currencies": ["CNY"]}, {}, {"currency": "EUR"}, Rule.CURRENCY),
        ({"hours": [8, 20]}, {}, {"at": MONDAY_NOON.replace(hour=20)}, Rule.HOUR),
        ({"hours": [20, 8]}, {"at": MONDAY_NOON.replace(hour=7)}, {}, Rule.HOUR),
        ({"weekdays": [0, 1, 2, 3, 4]}, {}, {"at": MONDAY_NOON + timedelta(days=5)}, Rule.WEEKDAY),
    ],
)
def test_rule_lets_one_use_through_and_not_another(terms, good, bad, rule):
    found = control_reading.read(terms)

    if good is not None:
        assert list(against(found, usage(**good))) == []
    assert list(against(found, usage(**bad))) == [rule]
    assert control_reading.read(found.kept()) == found


@pytest.mark.parametrize(
    "terms",
    [
        {"cap": []},
        {"caps": [{"measure": "amount", "span": "day"}]},
        {"caps": [{"measure": "amount", "span": "day", "most": -1}]},
        {"caps": [{"measure": "amount", "span": "day", "most": True}]},
        {"caps": [{"measure": "amount", "span": "day", "most": 1.5}]},
        {"caps": [{"measure": "amount", "span": "hour", "most": 1}]},
        {"caps": [{"measure": "count", "span": "each", "most": 1}]},
        {"caps": [{"measure": "amount", "span": "day", "most": 1, "more": 1}]},
        {"caps": [{"measure": "amount", "span": "day", "most": 1}] * 2},
        {"categories": ["dining"]},
        {"categories": {"only": ["pubs"]}},
        {"countries": {"only": ["cn"]}},
        {"countries": {"never": "CN"}},
        {"merchants": {"never": [1]}},
        {"entries": ["telepathy"]},
        {"currencies": ["cny"]},
        {"hours": [8]},
        {"hours": [8, 8]},
        {"hours": [8, 25]},
        {"weekdays": [7]},
        {"weekdays": [1, 1]},
        {"merchants": {"never": ["x"] * 201}},
    ],
)
def test_set_that_cannot_be_is_refused(terms):
    with pytest.raises(Malformed):
        control_reading.read(terms)
    found = spending()
    with pytest.raises(InvalidControls):
        controls.set_for(subject=found, terms=terms, by=by(found), channel=Channel.WEB)


@given(category=st.integers(0, 9_999))
def test_category_is_in_few_groups_and_has_one_custom(category):
    code = f"{category:04}"

    assert len([group for group in merchant_kinds.Group if merchant_kinds.named(code, [group])]) <= 1
    assert merchant_kinds.custom(code).lasts >= timedelta(days=7)


GOLD = Merchant(id="gold-1", name="Gold", category="6051", country="CN")


def by(of: Card) -> Actor:
    return Actor.of(of.member.user)


def amount(span: str, most: int) -> dict[str, Any]:
    return {"measure": "amount", "span": span, "most": most}


def put(subject: Any, *caps: dict[str, Any], **terms: Any) -> None:
    of = subject if isinstance(subject, Card) else subject.cards.first()
    if of is not subject:
        # A member's cards may be in several currencies.
        caps = tuple({"currency": "CNY", **cap} if cap["measure"] == "amount" else cap for cap in caps)
    controls.set_for(subject=subject, terms={"caps": list(caps), **terms}, by=by(of), channel=Channel.WEB)


def test_strictest_of_card_member_and_product_wins():
    people = staff("maker", "set_product_controls", "raise_controls"), staff("checker", "approve_raised_controls")
    found = spending(1_000_00)
    terms = {"caps": [amount("day", 50_00)]}
    approved(controls.set_for_product(product=found.product, terms=terms, by=people[0], reason="careful"), people[1])
    put(found, amount("day", 80_00))

    assert ask(found, 50_01).code == "card_limit"
    assert ask(found, 20_00).code == "approved"
    put(found.member, amount("day", 30_00))
    assert (ask(found, 10_01).code, ask(found, 10_00).code) == ("card_limit", "approved")
    put(found.member)
    assert (ask(found, 20_01).code, ask(found, 20_00).code) == ("card_limit", "approved")

    proposed = controls.raise_for(card=found, terms={"caps": [amount("day", 70_00)]}, by=people[0], reason="trip")
    assert ask(found, 1).code == "card_limit"
    approved(proposed, people[1])
    assert (ask(found, 20_01).code, ask(found, 20_00).code) == ("card_limit", "approved")
    assert {each.scope: (each.used, each.left) for each in controls.left(found, clock.now())} == {
        "product": (70_00, 0),
        "card": (70_00, 10_00),
    }


def test_limits_of_all_cards_count_amounts_by_currency_and_uses_in_all():
    found = spending(1_000_00)
    wallet(1_000_00, currency="USD", of=found.member)
    dollars = card(found.member, product("dollar", kind="debit", currency="USD"), reference="dollar")
    caps = [{**amount("day", 50_00), "currency": unit} for unit in ("CNY", "USD")]
    put(found.member, *caps, {"measure": "count", "span": "day", "most": 3})

    assert [ask(found, minor).code for minor in (50_01, 50_00)] == ["card_limit", "approved"]
    assert [ask(dollars, Money(minor, "USD")).code for minor in (50_01, 40_00, 10_01, 10_00, 0)] == [
        *("card_limit", "approved", "card_limit", "approved", "approved"),
    ]
    assert {each.cap.name: (each.used, each.left) for each in controls.left(dollars, clock.now())} == {
        "amount.day": (50_00, 0),
        "count.day": (3, 0),
    }


@pytest.mark.parametrize("currency", ["", "cny", "PTS", "XXX"])
def test_limit_of_all_cards_says_in_which_currency(currency):
    found = spending()
    terms = {"caps": [{**amount("day", 1), "currency": currency}]}

    with pytest.raises(InvalidControls):
        controls.set_for(subject=found.member, terms=terms, by=by(found), channel=Channel.WEB)


def test_limit_of_a_card_is_in_the_currency_of_the_card():
    found = spending()
    terms = {"caps": [{**amount("day", 1), "currency": "CNY"}]}

    with pytest.raises(InvalidControls):
        controls.set_for(subject=found, terms=terms, by=by(found), channel=Channel.WEB)


def test_receipt_names_the_sets_that_it_was_decided_by():
    found = spending()
    put(found, entries=["chip"])
    put(found.member, countries={"never": ["KP"]})
    answer = ask(found, 1)
    put(found)

    sets = DecisionReceipt.objects.get(pk=answer.receipt).seen["controls"]
    assert sets == list(CardControls.objects.order_by("pk").values_list("pk", flat=True)[:2])


def test_limit_counts_what_is_taken_in_the_end():
    found = spending(1_000_00)
    put(found, amount("day", 50_00), {"measure": "count", "span": "day", "most": 3})
    ask(found, 40_00, reference="one")

    assert ask(found, 20_00).code == "card_limit"
    tell("capture", found, 25_00, reference="one", final=True)
    assert ask(found, 20_00, reference="two").code == "approved"
    tell("reverse", found, None, reference="two")
    assert {each.cap.name: (each.used, each.left) for each in controls.left(found, clock.now())} == {
        "amount.day": (25_00, 25_00),
        "count.day": (1, 2),
    }


def test_decline_names_the_limit_and_by_how_much():
    found = spending(1_000_00)
    put(found, amount("each", 30_00), amount("month", 50_00))

    receipt = DecisionReceipt.objects.get(pk=ask(found, 60_00).receipt)

    assert receipt.checks[-1] == {
        "check": "card_limits",
        "passed": False,
        "code": "card_limit",
        "scope": "card",
        "limit": "amount.each",
        "most": 30_00,
        "left": 30_00,
    }
    assert {row["limit"]: (row["before"], row["after"]) for row in receipt.limits} == {
        "amount.each": (None, None),
        "amount.month": (0, 60_00),
    }


def test_windows_of_a_calendar_and_of_the_time_before(monkeypatch):
    found = spending(1_000_00, validity=10, validity_unit="years")
    put(found, amount("day", 10_00), amount("last_week", 25_00), amount("ever", 40_00))
    zone = found.member.zone
    noon = datetime(2031, 3, 3, 12, 0, tzinfo=zone)

    def at(days: float, minor: int) -> str:
        monkeypatch.setattr(clock, "now", lambda: (noon + timedelta(days=days)).astimezone(UTC))
        return ask(found, minor).code

    assert [at(0, 10_00), at(0.4, 1), at(0.6, 10_00), at(1.6, 6_00), at(1.6, 5_00)] == [
        "approved",
        "card_limit",
        "approved",
        "card_limit",
        "approved",
    ]
    assert [at(7.01, 10_00), at(9, 5_01), at(9, 5_00), at(900, 1)] == [
        "approved",
        "card_limit",
        "approved",
        "card_limit",
    ]


def test_increment_counts_as_the_same_use():
    found = spending(1_000_00)
    put(found, {"measure": "count", "span": "day", "most": 1})
    ask(found, 10_00, reference="stay", merchant=HOTEL)

    assert more(found, 5_00, reference="stay", merchant=HOTEL).code == "approved"
    assert ask(found, 1).code == "card_limit"


def test_what_was_set_decides_and_is_on_record():
    found = spending()
    put(found, categories={"never": ["cash", "fuel"]}, entries=["chip"])

    assert [ask(found, 1, merchant=merchant).code for merchant in (SHOP, GOLD, PUMP, DINER)] == [
        "approved",
        "control",
        "control",
        "approved",
    ]
    put(found, categories={"never": ["cash", "fuel"]}, entries=["chip"])
    assert CardControls.objects.count() == 1
    assert AuditEntry.objects.filter(act="card.controls_set").count() == 1
    with translation.override("en"):
        told = controls.controls_words(
            '{"caps": [{"measure": "amount", "span": "day", "most": 500}], "currency": "CNY"}'
        )
    assert told == "amount, a day: at most CN¥5.00"


def test_replacement_takes_over_what_was_set():
    found = card(wallet(100_00).member, debit())
    put(found, amount("day", 5_00))

    new = issuing.replace(card=found, why=issuing.Why.DAMAGED, reference="new", by=by(found), channel=Channel.WEB)

    assert controls.in_force(new) == controls.in_force(found)
    with pytest.raises(controls.life.CardEnded):
        put(found, amount("day", 500_00))
