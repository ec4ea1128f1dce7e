"""What members and the house are told of points: balance, history, warnings, liability and breakage; and its pages."""

from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import EarnBudget, Earning, EarnRule, Notice, PointValue, Purchase, Referral, User
from members.queries import points as queries
from members.services import notices, points
from members.services.points import warnings
from paymentsite.core import clock
from paymentsite.core.models import Approval
from paymentsite.ledger import services as ledger
from tests.factories import cny, pts
from tests.members.factories import member
from tests.members.pointing import budget, pay, refund, rule, spend
from tests.members.tiering import day

pytestmark = pytest.mark.django_db


def short():
    return rule(expiry="months", expiry_months=1)


def test_member_without_points_has_none():
    ada = member()

    found = queries.balance(ada, clock.now())

    assert (found.available, found.pending, found.debt, found.expiring) == (pts(0), pts(0), pts(0), ())
    assert queries.history(ada) is None


def test_balance_says_what_can_be_spent_what_waits_what_is_owed_and_what_is_lost_soon():
    short()
    rule("lasting", scope="merchant", scope_key="lasting", points=2, take_back="debt")
    rule("waiting", scope="merchant", scope_key="waiting", points=2, pending="final")
    ada, bo = member(), member()
    with clock.standing(day("2030-01-20")):
        pay(ada, 100_00, source="p1")
        pay(ada, 100_00, source="p2", merchant="lasting")
        pay(ada, 10_00, source="p3", merchant="waiting")
        pay(bo, 77_00, source="p4", merchant="lasting")
        spend(bo, 154, reference="gone")
        refund("p4", cause="r")

    early, late = queries.balance(ada, day("2030-01-21")), queries.balance(ada, day("2030-02-10"))
    assert (early.available, early.pending, early.expiring) == (pts(300), pts(20), ())
    assert late.expiring == ((date(2030, 2, 28), pts(100)),)
    assert queries.balance(ada, day("2030-03-01")).available == pts(200)
    assert queries.balance(bo, day("2030-02-10")).debt == pts(154)
    assert len(queries.history(ada).lines) == 2


def test_expiry_is_told_thirty_and_seven_days_before_once_each():
    short()
    ada = member()
    with clock.standing(day("2030-01-20")):
        pay(ada, 100_00, source="p")

    told = [
        warnings.warn(today=date(2030, month, n))
        for month, n in [(1, 28), (1, 29), (1, 29), (2, 20), (2, 21), (2, 28), (3, 1)]
    ]

    assert told == [0, 1, 0, 0, 1, 0, 0]
    assert [notices.sentence(each) for each in Notice.objects.order_by("pk")] == [
        f"100 PTS expire at the end of 28 Feb 2030, in {days} days, unless you spend them." for days in (30, 7)
    ]


def test_what_was_spent_is_not_warned_of():
    short()
    ada = member()
    with clock.standing(day("2030-01-20")):
        pay(ada, 100_00, source="p")
        spend(ada, 100, reference="gone")

    assert warnings.warn(today=date(2030, 2, 25)) == 0


def test_debt_of_points_is_told_in_the_currency_that_was_said_first():
    PointValue.objects.create(points=100, value_minor=2_00, currency="CNY", starts_at=day("2020-01-01"))
    PointValue.objects.create(points=100, value_minor=1, currency="EUR", starts_at=day("2021-01-01"))
    PointValue.objects.create(points=100, value_minor=3_00, currency="CNY", starts_at=day("2022-01-01"))

    worth = [queries.worth(1_000, queries.value_at(day(f"{year}-06-01"))) for year in (2020, 2021, 2022)]
    assert worth == [cny(20_00), cny(20_00), cny(30_00)]


def test_report_adds_up_by_month():
    short()
    rule("lasting", scope="merchant", scope_key="lasting", points=2)
    PointValue.objects.create(points=3, value_minor=2, currency="CNY", starts_at=day("2020-01-01"))
    ada = member()
    with clock.standing(day("2030-01-20")):
        pay(ada, 100_00, source="p1")
        pay(ada, 100_00, source="p2", merchant="lasting")
        refund("p2", 30_00, cause="r")
        spend(ada, 40, reference="gone")
    with clock.standing(day("2030-02-10")):
        assert queries.outstanding(clock.now()) == [
            queries.Outstanding(date(2030, 2, 1), 60, cny(40)),
            queries.Outstanding(None, 140, cny(93)),
        ]
    with clock.standing(day("2030-03-01")):
        ledger.lapse_lots(today=clock.today())
        assert queries.totals(clock.now()) == queries.Totals(140, 0, 0, cny(93))

    assert queries.months() == [
        queries.Month(date(2030, 3, 1), expired=60),
        queries.Month(date(2030, 1, 1), given=300, spent=40, taken_back=60),
    ]
    assert sum(m.given - m.spent - m.expired - m.taken_back + m.other for m in queries.months()) == 140


MODELS = (EarnRule, EarnBudget, Earning, Purchase, Referral, PointValue)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("boss@example.com"))
    return client


def page(model, name="changelist", *args):
    return reverse(f"admin:members_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def filled():
    call_command("demo")
    ada = member()
    points.refer(member=member(), referrer=ada, now=clock.now())


def test_pages_show_rows_and_edit_nothing(operator, filled):
    for model in MODELS:
        operator.get(page(model))
        with CaptureQueriesContext(connection) as made:
            assert operator.get(page(model)).status_code == 200, model
        assert len(made) < 20, model
        answer = operator.get(page(model, "change", model.objects.first().pk))
        assert answer.status_code == 200, model
        assert 'name="_save"' not in answer.content.decode(), model


@pytest.mark.parametrize("name", ["report", "report_csv"])
def test_report_is_for_staff_who_may_see_it(client, name):
    client.force_login(User.objects.create_user("staff@example.com", is_staff=True))
    assert client.get(page(PointValue, name)).status_code == 403


def test_report_is_a_page_and_a_file(operator, filled):
    assert "Liability and breakage" in operator.get(page(PointValue)).content.decode()
    assert "Month by month" in operator.get(page(PointValue, "report")).content.decode()
    lines = operator.get(page(PointValue, "report_csv")).content.decode().split("\r\n")
    assert lines[0] == "Until the end of,Points outstanding,Worth"
    assert lines[1].endswith(",198,1.98 CNY")


def test_rule_is_proposed_on_its_pages(operator):
    asked = {
        "code": "base",
        "name_en": "Base",
        "kind": "amount",
        "points": "1",
        "per_minor": "1.00",
        "currency": "CNY",
        "least_minor": "0",
        "scope": "any",
        "pending": "none",
        "pending_days": "0",
        "expiry": "never",
        "expiry_months": "0",
        "take_back": "zero",
        "reason": "new",
    }
    operator.post(page(EarnRule, "add_rule"), asked)
    proposed = Approval.objects.get()
    assert proposed.act == "members.add_earn_rule"
    assert proposed.arguments["terms"]["value"]["per_minor"] == 100

    old = rule("old")
    operator.post(page(EarnRule, "change_rule", old.pk), {**asked, "points": "7"})
    operator.post(page(EarnRule, "end_rule", old.pk), {"reason": "over"})
    operator.post(page(EarnBudget, "add_budget"), {"code": "c", "total": "5", "reason": "new"})
    operator.post(page(EarnBudget, "change_budget", budget(9).pk), {"total": "5", "reason": "less"})
    value = {"points": "1", "value_minor": "0.01", "currency": "CNY", "reason": "new"}
    operator.post(page(PointValue, "set_value"), value)

    assert list(Approval.objects.order_by("pk").values_list("act", flat=True)) == [
        "members.add_earn_rule",
        "members.change_earn_rule",
        "members.end_earn_rule",
        "members.set_earn_budget",
        "members.set_earn_budget",
        "members.set_point_value",
    ]
    assert EarnRule.objects.get() == old
