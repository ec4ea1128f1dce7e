"""Fees: what is quoted is what is taken, free ones are counted, nothing is charged twice."""

from datetime import timedelta

import pytest
from django.db import transaction

from members.models import Tier
from members.services import members
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import AmountNegative, Money
from paymentsite.ledger import services as ledger
from tests.factories import cny, fund, postings_of, purse
from tests.members.factories import member
from tests.members.limiting import NOON, moment, tier
from tests.terms import told
from wallets.models import FeeRule, FeeUse
from wallets.services import fees
from wallets.services.fees import FeeSourceConflict, Kind, Quote, QuoteChanged

pytestmark = pytest.mark.django_db


def rule(kind: str = "withdrawal", **fields) -> FeeRule:
    fields = {"currency": "CNY", "starts_at": EPOCH, "set_by": "test:1", **fields}
    return told(FeeRule.objects.create(kind=kind, **fields))


def quote(of, minor=10_000, kind=Kind.WITHDRAWAL, now=NOON) -> Quote:
    return fees.quote(member=of, kind=kind, amount=cny(minor), now=now)


def take(quoted: Quote, source: str = "withdrawal:1", now=NOON) -> Quote:
    with transaction.atomic():
        return fees.take(quote=quoted, source=source, now=now)


def steps(quoted: Quote) -> list[tuple[str, int]]:
    return [(line.name, line.amount.minor) for line in quoted.lines]


def test_nothing_is_asked_where_there_is_no_rule():
    ada = member()
    rule(kind="transfer", fixed_minor=100)
    rule(currency="EUR", fixed_minor=100)

    quoted = quote(ada)

    assert (quoted.fee, quoted.total, quoted.lines, quoted.rule) == (cny(0), cny(10_000), (), None)
    assert fees.entries(quoted, purse()) == []


def test_negative_amount_has_no_price():
    with pytest.raises(AmountNegative):
        quote(member(), -1)


@pytest.mark.parametrize(
    ("terms", "minor", "expected"),
    [
        ({"percent_bp": 50}, 10_000, [("percent", 50)]),
        ({"percent_bp": 50}, 99, []),  # 0.495
        ({"percent_bp": 50}, 100, [("percent", 1)]),  # 0.5, half up
        ({"percent_bp": 50, "fixed_minor": 30}, 10_000, [("percent", 50), ("fixed", 30)]),
        ({"percent_bp": 50, "minimum_minor": 80}, 10_000, [("percent", 50), ("minimum", 30)]),
        ({"percent_bp": 50, "maximum_minor": 40}, 10_000, [("percent", 50), ("maximum", -10)]),
        ({"percent_bp": 50, "minimum_minor": 50, "maximum_minor": 50}, 10_000, [("percent", 50)]),
        ({"fixed_minor": 200}, 1, [("fixed", 200)]),  # on top, so it may be more than the amount
    ],
)
def test_price_is_told_step_by_step(terms, minor, expected):
    rule(**terms)

    quoted = quote(member(), minor)

    assert steps(quoted) == expected
    assert quoted.fee == cny(sum(step for _, step in expected))
    assert quoted.total == quoted.amount + quoted.fee


def test_top_up_never_costs_more_than_came_in():
    rule(kind="top_up", fixed_minor=200)

    little, enough = quote(member(), 150, Kind.TOP_UP), quote(member(), 1_000, Kind.TOP_UP)

    assert (steps(little), little.total) == ([("fixed", 200), ("capped", -50)], cny(0))
    assert (steps(enough), enough.total) == ([("fixed", 200)], cny(800))


@pytest.mark.parametrize(("discount", "fee"), [(0, 101), (5_000, 50), (10_000, 0)])
def test_tier_takes_its_discount_off_and_never_more(discount, fee):
    tier("gold", rank=0, fee_discount_bp=discount)
    rule(fixed_minor=101, minimum_minor=101)

    assert quote(member()).fee == cny(fee)


def test_most_specific_rule_in_force_is_the_one_that_counts():
    gold, other = tier("gold", rank=0), tier("other", rank=1)
    rule(fixed_minor=100)
    rule(fixed_minor=1, tier=other)
    rule(fixed_minor=50, tier=gold, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    ada = member()

    before, during, after = (quote(ada, now=NOON + timedelta(minutes=each)).fee for each in (-1, 0, 60))

    assert (before, during, after) == (cny(100), cny(50), cny(100))


def test_price_that_changed_is_refused_not_recomputed():
    ada = member()
    first = rule(fixed_minor=100)
    quoted = quote(ada)
    FeeRule.objects.filter(pk=first.pk).update(ends_at=NOON)
    rule(fixed_minor=99, starts_at=NOON)

    with pytest.raises(QuoteChanged) as refused:
        take(quoted)

    assert refused.value.facts == {
        "quoted": {"amount": 100, "currency": "CNY"},
        "fee": {"amount": 99, "currency": "CNY"},
    }
    assert not FeeUse.objects.exists()


def test_rule_that_was_replaced_by_the_same_price_changes_no_quote():
    ada = member()
    first = rule(fixed_minor=100)
    quoted = quote(ada)
    FeeRule.objects.filter(pk=first.pk).update(ends_at=NOON)
    second = rule(fixed_minor=100, starts_at=NOON)

    assert take(quoted).fee == quoted.fee
    assert FeeUse.objects.get().rule == second


def test_source_is_charged_once_and_never_for_something_else():
    ada = member()
    rule(fixed_minor=100)
    for _ in range(3):
        take(quote(ada))

    assert FeeUse.objects.count() == 1
    for other in (quote(member()), quote(ada, 1), quote(ada, kind=Kind.TRANSFER)):
        with pytest.raises(FeeSourceConflict):
            take(other)
    fees.give_back(source="withdrawal:1", now=NOON)
    with pytest.raises(FeeSourceConflict):
        take(quote(ada))


def test_free_ones_are_used_up_given_back_and_new_each_month():
    tier("gold", rank=0, free_withdrawals=2)
    rule(fixed_minor=100)
    ada, bob = member(), member()

    def one(source: str, now=NOON) -> tuple[int, int | None]:
        quoted = quote(ada, now=now)
        return take(quoted, source, now).fee.minor, quoted.free_left

    assert [one(f"withdrawal:{number}") for number in range(3)] == [(0, 2), (0, 1), (100, 0)]
    assert steps(quote(bob)) == [("fixed", 100), ("free", -100)]
    for _ in range(2):
        fees.give_back(source="withdrawal:0", now=NOON)
    assert [one(f"withdrawal:again {number}") for number in range(2)] == [(0, 1), (100, 0)]
    assert one("withdrawal:next month", moment("2026-11-30 16:00")) == (0, 2)
    assert list(FeeUse.objects.filter(free=True).order_by("pk").values_list("free_number", "month")) == [
        (1, "2026-11"),
        (2, "2026-11"),
        (1, "2026-11"),
        (1, "2026-12"),
    ]


def test_free_one_that_somebody_else_used_meanwhile_is_not_free():
    tier("gold", rank=0, free_withdrawals=1)
    rule(fixed_minor=100)
    ada = member()
    first, second = quote(ada), quote(ada)
    take(first, "withdrawal:1")

    with pytest.raises(QuoteChanged):
        take(second, "withdrawal:2")


def test_what_costs_nothing_uses_no_free_one_and_other_kinds_have_none():
    tier("gold", rank=0, free_withdrawals=1)
    rule(kind="transfer", fixed_minor=100)
    ada = member()

    take(quote(ada), "withdrawal:1")
    assert quote(ada).free_left == 1
    sent = quote(ada, kind=Kind.TRANSFER)
    assert (sent.fee, sent.free_left) == (cny(100), None)


@pytest.mark.attack
def test_whoever_changes_zones_has_no_more_free_ones_in_a_month():
    tier("gold", rank=0, free_withdrawals=1)
    rule(fixed_minor=100)
    ada, eve_of_december = member(), moment("2026-11-30 12:00")
    take(quote(ada, now=eve_of_december), "withdrawal:1", eve_of_december)

    ada = members.edit(member=ada, by=SYSTEM, time_zone="Pacific/Kiritimati")
    assert take(quote(ada, now=eve_of_december), "withdrawal:2", eve_of_december).fee == cny(0)
    for zone in ("Asia/Shanghai", "America/Los_Angeles"):
        ada = members.edit(member=ada, by=SYSTEM, time_zone=zone)
        for now in (eve_of_december, moment("2026-12-15 12:00")):
            assert quote(ada, now=now).fee == cny(100)


def test_what_is_quoted_is_what_is_posted():
    ada, account = member(), purse()
    fund(account, 1_000)
    rule(percent_bp=33, fixed_minor=7)
    quoted = quote(ada, 777)

    posted = ledger.post(*fees.entries(take(quoted), account), reference="fee", scope="test")

    (posting,) = postings_of(posted)
    assert (posting.amount_minor, posting.source, posting.target) == (10, account, ledger.house("fees", "CNY"))
    assert FeeUse.objects.get().fee == quoted.fee == cny(10)


def test_yen_has_no_smaller_part():
    rule(currency="JPY", percent_bp=50)

    quoted = fees.quote(member=member(), kind=Kind.WITHDRAWAL, amount=Money(1_500, "JPY"), now=NOON)

    assert quoted.fee == Money(8, "JPY")


@pytest.mark.django_db(transaction=True)
def test_charging_outside_a_transaction_is_a_bug():
    quoted = quote(member())

    with pytest.raises(transaction.TransactionManagementError):
        fees.take(quote=quoted, source="withdrawal:1", now=NOON)


def test_member_without_any_tier_has_no_benefits():
    rule(fixed_minor=100)

    assert quote(member()).free_left == 0
    assert Tier.objects.count() == 1
