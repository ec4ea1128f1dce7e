"""Every act by which operators decide something tells the audit trail what it made of it."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cards.services import banks, products
from members.models import EarnRule, Limit
from members.services import catalogue, earn_rules, limit_rules, standings, tier_terms
from members.services.points import budgets
from paymentsite.core import clock
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import trail
from tests.cards import banking
from tests.cards.factories import numbers, product
from tests.members.catalogue import goods
from tests.members.limiting import cap
from tests.members.pointing import budget, rule
from tests.members.tiering import levels
from tests.terms import differing, fee
from tests.wallets import gateways
from tests.wallets.deciding import decide, staff
from wallets.models import GatewayRoute
from wallets.services import fee_rules, rates, routing

pytestmark = pytest.mark.django_db


def limit_set() -> None:
    old = cap(100, ends_at=clock.now() + timedelta(days=90))
    begin, end = clock.now() + timedelta(days=30), clock.now() + timedelta(days=60)
    facts = {"kind": old.kind, "currency": old.currency, "measure": old.measure, "period": old.period}
    decide(limit_rules.propose(**facts, cap=5, by=staff(), reason="asked", starts_at=begin, ends_at=end))
    assert Limit.objects.count() == 3


def limit_ended() -> None:
    decide(limit_rules.end(limit=cap(100), by=staff(), reason="asked"))


def limit_lowered() -> None:
    limit_rules.lower(limit=cap(100), cap=5, by=staff(), reason="asked")


def limits_to_begin_with() -> None:
    assert limit_rules.set_defaults() == 96


def fee_set() -> None:
    fee()
    decide(fee_rules.propose(kind="transfer", currency="CNY", fixed_minor=7, by=staff(), reason="asked"))


def fee_ended() -> None:
    decide(fee_rules.end(rule=fee(), by=staff(), reason="asked"))


def fees_to_begin_with() -> None:
    assert fee_rules.set_defaults() == 8


def tier_added() -> None:
    levels()
    terms = {"name_en": "Diamond", "rank": 40, "threshold": 50_000}
    decide(tier_terms.add(code="diamond", terms=terms, by=staff(), reason="asked"))


def tier_changed() -> None:
    decide(tier_terms.change(tier=levels()["gold"], terms={"earn_bp": 12_000}, by=staff(), reason="asked"))


def programme_changed() -> None:
    levels()
    takes = {"silver": 10, "gold": 20, "platinum": 30}
    terms = {"measure": "spend", "currency": "EUR"}
    decide(tier_terms.change_programme(terms=terms, thresholds=takes, by=staff(), reason="asked"))


def lowest_tier_made() -> None:
    standings.ladder()


def rule_added() -> None:
    terms = {"name_en": "More", "kind": "birthday", "points": 5}
    decide(earn_rules.add(code="more", terms=terms, by=staff(), reason="asked"))


def rule_changed() -> None:
    soon = clock.now() + timedelta(days=9)
    decide(earn_rules.change(rule=rule(), terms={"points": 2}, by=staff(), reason="asked", starts_at=soon))


def rule_ended_with_what_was_planned() -> None:
    rule_changed()
    decide(earn_rules.end(rule=EarnRule.objects.get(version=1), by=staff(), reason="asked"))


def budget_set() -> None:
    decide(earn_rules.set_budget(code="spring", total=100, by=staff(), reason="asked"))
    decide(earn_rules.set_budget(code="spring", total=200, by=staff(), reason="asked"))


def budget_used() -> None:
    assert budgets.take(budget(100).pk, 60) == 60


def value_set() -> None:
    decide(earn_rules.set_value(points=100, value_minor=1, currency="CNY", by=staff(), reason="asked"))


def reward_offered() -> None:
    terms: catalogue.Terms = {"kind": "goods", "name_en": "Mug", "points": 100}
    decide(catalogue.offer(terms=terms, by=staff(), reason="asked"))


def reward_restocked() -> None:
    decide(catalogue.restock(reward=goods(stock=5), more=3, by=staff(), reason="asked"))


def reward_withdrawn() -> None:
    catalogue.withdraw(reward=goods(), by=staff(), reason="asked")


def rate_set() -> None:
    facts = {"base": "CNY", "quote": "USD", "value": Decimal("0.14"), "at": clock.now()}
    decide(rates.set_by_hand(**facts, by=staff(), reason="asked"))


def range_added() -> None:
    decide(products.add_range(prefix="40000012", length=16, by=staff(), reason="asked"))


def product_added() -> None:
    terms: dict[str, Any] = {"code": "a", "name_en": "A", "kind": "prepaid", "currency": "CNY"}
    terms |= {"validity": 30, "validity_unit": "days", "numbers": numbers()}
    decide(products.add(terms=terms, by=staff(), reason="asked"))


def product_closed() -> None:
    products.close(product=product(), by=staff(), reason="asked")


def bank_added() -> None:
    decide(banks.add_bank(code="shore", name="Shore", by=staff(), reason="asked"))


def account_range_added() -> None:
    terms: banks.RangeTerms = {"bank": banking.bank(), "scheme": "mod97", "country": "", "prefix": "8888"}
    terms |= {"length": 22, "currency": "CNY", "held_max": 20}
    decide(banks.add_range(terms=terms, by=staff(), reason="asked"))


def account_range_closed() -> None:
    banks.close_range(numbers=banking.numbers(), by=staff(), reason="asked")


@pytest.mark.parametrize(
    "act",
    [
        limit_set,
        limit_ended,
        limit_lowered,
        limits_to_begin_with,
        fee_set,
        fee_ended,
        fees_to_begin_with,
        tier_added,
        tier_changed,
        programme_changed,
        lowest_tier_made,
        rule_added,
        rule_changed,
        rule_ended_with_what_was_planned,
        budget_set,
        budget_used,
        value_set,
        reward_offered,
        reward_restocked,
        reward_withdrawn,
        rate_set,
        range_added,
        product_added,
        product_closed,
        bank_added,
        account_range_added,
        account_range_closed,
    ],
)
def test_every_act_tells_what_it_decides(act):
    act()

    assert differing() == {}
    assert AuditEntry.objects.filter(act=trail.TOLD).exists()


def test_routes_are_told(tmp_path: Path):
    with gateways.sandboxes(tmp_path, "sandbox"):
        gateways.route("top_up", method="alipay")
        routing.change(route=GatewayRoute.objects.earliest("pk"), is_on=False, by=staff(), reason="ill")

    assert differing() == {}
    assert AuditEntry.objects.filter(act=trail.TOLD).count() == 2
