"""Earn rules, budgets and the value of a point take two people, and what was earned stays as it was earned."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from members.models import EarnBudget, EarnRule, PointValue
from members.services import earn_rules
from members.services.earn_rules import BudgetTooSmall, InvalidRule, RuleOver, RuleTaken
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from tests.factories import pts
from tests.members.catalogue import staff
from tests.members.factories import member
from tests.members.pointing import budget, earning, pay, refund, rule, standing

pytestmark = pytest.mark.django_db

MAKER = Actor("staff", "999999")
TERMS = {"name_en": "Base", "kind": "amount", "points": 2, "per_minor": 100, "currency": "CNY"}


@pytest.fixture
def agreed():
    """``agreed(proposal)``: somebody else approves it."""
    checker = staff("checker", "approve_earn_rules")

    def approve(proposal):
        approvals.approve(approval=proposal, by=checker, shown=proposal.shown)

    return approve


def add(code="base", terms=TERMS, **more):
    return earn_rules.add(code=code, terms=terms, by=MAKER, reason="new", **more)


def test_rule_is_only_proposed_until_another_person_approves(agreed):
    proposal = add()

    assert isinstance(proposal, Approval)
    assert not EarnRule.objects.exists()
    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposal, by=MAKER, shown=proposal.shown)
    agreed(proposal)
    assert EarnRule.objects.get().points == 2
    assert AuditEntry.objects.filter(act="earn_rule.made").count() == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"points": 0},
        {"points": -5},
        {"per_minor": None},
        {"per_minor": 0},
        {"currency": ""},
        {"currency": "PTS"},
        {"currency": "XXZ"},
        {"kind": "gift"},
        {"kind": "referral"},
        {"scope": "merchant"},
        {"scope_key": "shop"},
        {"pending": "days"},
        {"pending_days": 3},
        {"expiry": "months"},
        {"expiry": "months", "expiry_months": 601},
        {"take_back": "never"},
        {"take_back": "pending"},
        {"take_back": "pending", "pending": "none"},
        {"name_en": ""},
    ],
)
def test_rule_that_cannot_be_is_not_even_proposed(terms):
    with pytest.raises(InvalidRule):
        add(terms={**TERMS, **terms})

    assert not Approval.objects.exists()


def test_rule_of_a_code_that_is_taken_is_refused():
    rule("base")

    with pytest.raises(RuleTaken):
        add()


def test_change_cannot_make_points_that_outlast_a_refund():
    old = rule("base", take_back="pending", pending="final")

    with pytest.raises(InvalidRule, match="outlast any refund"):
        earn_rules.change(rule=old, terms={"pending": "none"}, by=MAKER, reason="at once")

    assert EarnRule.objects.get().superseded_at is None


def test_database_has_no_rule_in_force_whose_points_outlast_a_refund():
    over = rule("old", take_back="pending", pending="none", superseded_at=clock.now())

    with pytest.raises(IntegrityError, match="members_earn_rule_take_back"), transaction.atomic():
        rule("new", take_back="pending", pending="none")

    assert list(EarnRule.objects.all()) == [over]


def test_change_is_a_new_version_and_what_was_earned_stays(agreed):
    old, ada = rule("base", take_back="debt"), member()
    pay(ada, 10_00, source="p1")

    agreed(earn_rules.change(rule=old, terms={"points": 5}, by=MAKER, reason="more"))

    pay(ada, 10_00, source="p2")
    assert standing(ada) == (60, 0, 0, 0)
    refund("p1", cause="r")
    assert standing(ada) == (50, 0, 0, 0)
    assert [(each.version, each.superseded_at is None) for each in EarnRule.objects.order_by("version")] == [
        (1, False),
        (2, True),
    ]
    assert earning("p2").rule.take_back == "debt"
    with pytest.raises(RuleOver):
        earn_rules.change(rule=old, terms={"points": 6}, by=MAKER, reason="late")


def test_change_for_later_leaves_no_gap(agreed):
    old, ada = rule("base"), member()
    later = clock.now() + timedelta(days=5)
    agreed(earn_rules.change(rule=old, terms={"points": 5}, by=MAKER, reason="more", starts_at=later))

    pay(ada, 10_00, source="p1")
    with clock.standing(later):
        pay(ada, 10_00, source="p2")

    assert standing(ada) == (60, 0, 0, 0)


def test_ended_rule_earns_nothing_more(agreed):
    old = rule("base")

    agreed(earn_rules.end(rule=old, by=MAKER, reason="over"))

    assert pay(member(), 10_00, source="p").points == pts(0)


@pytest.mark.parametrize("named", [0, 1], ids=["the one in force", "the one to come"])
def test_rule_is_ended_at_once_also_where_a_change_was_planned(agreed, named):
    old, ada = rule("base"), member()
    later = clock.now() + timedelta(days=30)
    agreed(earn_rules.change(rule=old, terms={"points": 5}, by=MAKER, reason="more", starts_at=later))

    agreed(earn_rules.end(rule=EarnRule.objects.order_by("version")[named], by=MAKER, reason="a mistake"))

    assert pay(ada, 10_00, source="p1").points == pts(0)
    with clock.standing(later + timedelta(days=1)):
        assert pay(ada, 10_00, source="p2").points == pts(0)
    for each in EarnRule.objects.all():
        with pytest.raises(RuleOver):
            earn_rules.end(rule=each, by=MAKER, reason="again")


def test_another_change_takes_the_place_of_one_that_was_planned(agreed):
    old, ada = rule("base"), member()
    now = clock.now()
    agreed(earn_rules.change(rule=old, terms={"points": 50}, by=MAKER, reason="x", starts_at=now + timedelta(days=30)))
    sooner = now + timedelta(days=5)
    agreed(earn_rules.change(rule=old, terms={"points": 5}, by=MAKER, reason="more", starts_at=sooner))

    pay(ada, 10_00, source="p1")
    with clock.standing(now + timedelta(days=31)):
        pay(ada, 10_00, source="p2")

    assert standing(ada) == (60, 0, 0, 0)
    assert EarnRule.objects.order_by("-version").values_list("version", "points")[0] == (3, 5)


def test_campaign_that_has_not_begun_is_cancelled(agreed):
    later = clock.now() + timedelta(days=30)
    agreed(add(starts_at=later))
    agreed(earn_rules.end(rule=EarnRule.objects.get(), by=MAKER, reason="not now"))

    with clock.standing(later + timedelta(days=1)):
        assert pay(member(), 10_00, source="p").points == pts(0)


def test_rules_terms_cannot_be_edited():
    rule("base")

    with pytest.raises(Exception, match="written once"), connection.cursor() as cursor:
        cursor.execute("UPDATE members_earnrule SET points = 100")


def test_budget_can_be_raised_and_never_below_what_was_given(agreed):
    rule("campaign", budget=budget(100))
    pay(member(), 60_00, source="p")

    with pytest.raises(BudgetTooSmall):
        earn_rules.set_budget(code="campaign", total=59, by=MAKER, reason="less")
    with pytest.raises(InvalidRule):
        earn_rules.set_budget(code="campaign", total=-1, by=MAKER, reason="less")
    agreed(earn_rules.set_budget(code="campaign", total=60, by=MAKER, reason="enough"))
    agreed(earn_rules.set_budget(code="other", total=10, by=MAKER, reason="new"))
    assert set(EarnBudget.objects.values_list("code", "total", "used")) == {("campaign", 60, 60), ("other", 10, 0)}


@pytest.mark.parametrize("asked", [{"points": 0}, {"value_minor": 0}, {"currency": "PTS"}])
def test_value_of_a_point_is_an_amount_of_money(asked):
    with pytest.raises(InvalidRule):
        earn_rules.set_value(**{"points": 1, "value_minor": 1, "currency": "CNY", **asked}, by=MAKER, reason="x")


def test_values_are_kept(agreed):
    for minor in (1, 2):
        agreed(earn_rules.set_value(points=1, value_minor=minor, currency="CNY", by=MAKER, reason="x"))

    assert sorted(PointValue.objects.values_list("value_minor", flat=True)) == [1, 2]
