"""Points: what a payment earns, when it is the member's, and what is spent."""

from datetime import date

import pytest

from members.models import EarnBudget, Tier
from members.services import points
from members.services.points import maturing
from members.services.points.earning import EarnedAlready
from members.services.points.spending import NotPoints
from paymentsite.core import clock
from paymentsite.core.acts import OutcomeUnknown
from paymentsite.core.models import OpenItem
from paymentsite.core.money import UnitMismatch
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Lot
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import cny, pts
from tests.members.factories import member
from tests.members.pointing import after, budget, earning, freeze, pay, refund, rule, spend, standing
from tests.members.tiering import day

pytestmark = pytest.mark.django_db


def test_payment_earns_once():
    rule()
    ada = member()
    pay(ada, 10_00, source="payment:1")

    with pytest.raises(EarnedAlready):
        pay(ada, 10_00, source="payment:1")

    assert standing(ada) == (10, 0, 0, 0)


def test_what_was_paid_in_another_unit_cannot_be_its_part():
    with pytest.raises(UnitMismatch):
        pay(member(), 10_00, source="payment:1", earning=pts(3))


@pytest.mark.parametrize(
    ("fields", "minor", "earned"),
    [
        ({}, 99, 0),
        ({}, 100, 1),
        ({}, 199_99, 199),
        ({"points": 3, "per_minor": 1000}, 33_33, 9),
        ({"least_minor": 50_00}, 49_99, 0),
        ({"least_minor": 50_00}, 50_00, 50),
        ({"currency": "USD"}, 50_00, 0),
        ({"scope": "merchant", "scope_key": "shop"}, 50_00, 50),
        ({"scope": "merchant", "scope_key": "other"}, 50_00, 0),
        ({"scope": "category", "scope_key": "books"}, 50_00, 50),
        ({"scope": "category", "scope_key": "shop"}, 50_00, 0),
        ({"starts_at": day("2199-01-01")}, 50_00, 0),
        ({"ends_at": day("2021-01-01")}, 50_00, 0),
        ({"superseded_at": day("2021-01-01")}, 50_00, 0),
    ],
)
def test_rule_gives_for_what_fits_it_rounded_down(fields, minor, earned):
    rule(**fields)

    assert pay(member(), minor, source="p", merchant="shop", category="books").points == pts(earned)


def test_what_was_paid_with_points_earns_nothing():
    rule()

    assert pay(member(), 100_00, source="p", earning=cny(60_00)).points == pts(60)


def test_tier_multiplies_in_one_division():
    Tier.objects.create(code="base", name_en="Base", rank=0, earn_bp=15_000)
    rule(by_tier=True, qualifies=True)
    ada = member()

    pay(ada, 1_99, source="p")

    assert standing(ada) == (2, 0, 0, 1)


def test_of_rules_that_do_not_stack_the_best_counts_and_those_that_do_are_added():
    rule("base")
    rule("double", points=2, scope="merchant", scope_key="shop")
    rule("on top", stacks=True, points=1, per_minor=1000)

    proposal = pay(member(), 100_00, source="p", merchant="shop")

    assert {each.rule.code: each.points for each in proposal.earnings} == {"double": 200, "on top": 10}


def test_campaign_gives_what_is_left_and_then_nothing():
    rule("campaign", budget=budget(15))
    ada = member()

    earned = [pay(ada, 10_00, source=f"p{number}").points.minor for number in range(3)]

    assert earned == [10, 5, 0]
    assert EarnBudget.objects.get().left == 0


def test_campaign_that_is_used_up_leaves_the_place_to_the_next_best():
    rule("base")
    rule("campaign", points=5, budget=budget(0))

    assert [each.rule.code for each in pay(member(), 10_00, source="p").earnings] == ["base"]


def test_first_purchase_has_its_bonus_and_the_second_none():
    rule("welcome", kind="first_purchase", points=100)
    ada = member()

    assert [pay(ada, 10_00, source=f"p{number}").points.minor for number in range(2)] == [100, 0]


@pytest.mark.parametrize(
    ("born", "bought", "bonus"),
    [
        ("1990-05-04", "2030-05-04", 50),
        ("1990-05-04", "2030-05-05", 0),
        ("1992-02-29", "2030-02-28", 50),
        ("1992-02-29", "2032-02-28", 0),
        ("1992-02-29", "2032-02-29", 50),
        (None, "2030-02-28", 0),
    ],
)
def test_birthday_is_a_day_of_the_members_own_calendar(born, bought, bonus):
    rule("birthday", kind="birthday", points=50)
    ada = member(birthday=date.fromisoformat(born) if born else None)

    assert pay(ada, 10_00, source="p", at=day(bought)).points.minor == bonus
    assert pay(ada, 10_00, source="again", at=day(bought)).points.minor == 0


def test_pending_points_cannot_be_spent_until_their_day():
    rule(pending="days", pending_days=14)
    ada = member()
    pay(ada, 100_00, source="p")

    with pytest.raises(InsufficientFunds):
        spend(ada, 1, reference="early")
    with after(13):
        assert points.mature_due(now=clock.now()) == 0
    assert standing(ada) == (0, 100, 0, 0)
    with after(15):
        assert (points.mature_due(now=clock.now()), points.mature_due(now=clock.now())) == (1, 0)
    assert standing(ada) == (100, 0, 0, 0)


def test_points_that_wait_for_the_payment_to_be_final_are_given_once_it_is():
    rule(pending="final")
    ada = member()
    pay(ada, 100_00, source="p")
    with after(500):
        assert points.mature_due(now=clock.now()) == 0

    points.final(source="p", now=clock.now())
    points.final(source="p", now=clock.now())
    points.final(source="unknown", now=clock.now())

    assert points.mature_due(now=clock.now()) == 1
    assert standing(ada) == (100, 0, 0, 0)


def test_earning_that_breaks_keeps_no_other_waiting_and_is_before_a_person_until_it_is_given(monkeypatch):
    rule(pending="days", pending_days=1)
    ada, bo = member(), member()
    pay(ada, 100_00, source="p")
    pay(bo, 50_00, source="q")
    give = maturing.give

    def sometimes(earning, **facts):
        return give(earning, **facts) if earning.source == "q" else 1 / 0

    with after(2):
        with monkeypatch.context() as patch:
            patch.setattr(maturing, "give", sometimes)
            assert [points.mature_due(now=clock.now()) for _ in range(2)] == [1, 0]
        assert (standing(ada), standing(bo)) == ((0, 100, 0, 0), (50, 0, 0, 0))
        item = OpenItem.objects.open().get()
        assert (item.kind, item.subject) == (maturing.STUCK, f"members.member:{ada.pk}")
        assert item.why == "Points that are due to them could not be given: ZeroDivisionError."

        assert points.mature_due(now=clock.now()) == 1
    assert (standing(ada), OpenItem.objects.get().state) == ((100, 0, 0, 0), "done")


def test_earning_that_the_books_refuse_is_before_a_person_until_it_is_given():
    rule(pending="days", pending_days=1)
    ada, bo = member(), member()
    for number, who in enumerate((ada, ada, bo)):
        pay(who, 100_00, source=f"p{number}")
    with after(2):
        freeze(ada)
        assert [points.mature_due(now=clock.now()) for _ in range(2)] == [1, 0]
        item = OpenItem.objects.open().get()
        assert (item.kind, item.subject) == (maturing.STUCK, f"members.member:{ada.pk}")
        assert item.why.endswith("Its status: frozen.")
        freeze(ada, "open")

    with after(3):
        assert points.mature_due(now=clock.now()) == 2
    assert (standing(ada), OpenItem.objects.get().state) == ((200, 0, 0, 0), "done")


def test_item_about_points_is_done_when_a_refund_took_them():
    rule(pending="days", pending_days=1)
    ada = member()
    pay(ada, 100_00, source="p")
    with after(2):
        freeze(ada)
        points.mature_due(now=clock.now())
        assert OpenItem.objects.open().exists()
        refund("p", cause="r")

        points.mature_due(now=clock.now())
    assert not OpenItem.objects.open().exists()


def test_what_may_succeed_a_moment_later_needs_no_person(monkeypatch):
    rule(pending="days", pending_days=1)
    pay(member(), 100_00, source="p")

    def in_doubt(*_entries, **_facts):
        raise OutcomeUnknown

    monkeypatch.setattr(ledger, "post", in_doubt)
    with after(2):
        assert points.mature_due(now=clock.now()) == 0
    assert not OpenItem.objects.exists()


@pytest.mark.parametrize(
    ("expiry", "last"),
    [
        ({"expiry": "months", "expiry_months": 12}, date(2031, 1, 31)),
        ({"expiry": "months", "expiry_months": 1}, date(2030, 2, 28)),
        ({"expiry": "next_year"}, date(2031, 12, 31)),
        ({"expiry": "never"}, date.max),
    ],
)
def test_points_expire_as_their_rule_says(expiry, last):
    rule(**expiry)
    with clock.standing(day("2030-01-31")):
        pay(member(), 100_00, source="p")
        pay(member(), 100_00, source="q")

    assert set(Lot.objects.values_list("expires_on", flat=True)) == {last}
    assert earning("p").expires_on == last


def test_points_given_late_expire_as_if_they_had_been_given_in_time():
    rule(pending="days", pending_days=10, expiry="months", expiry_months=2)
    with clock.standing(day("2030-01-15")):
        pay(member(), 100_00, source="p")
    with clock.standing(day("2030-02-20")):
        points.mature_due(now=clock.now())

    assert earning("p").expires_on == date(2030, 3, 31)


@pytest.mark.parametrize("given", [cny(5), pts(-1)])
def test_what_is_no_points_cannot_be_spent(given):
    with pytest.raises(NotPoints):
        points.spent(member=member(), points=given)


def test_spending_takes_what_expires_first():
    rule("short", stacks=True, expiry="months", expiry_months=1)
    rule("long", stacks=True)
    ada = member()
    pay(ada, 10_00, source="p")

    spend(ada, 12, reference="r")

    assert [(lot.left_minor, lot.expires_on == date.max) for lot in Lot.objects.order_by("expires_on")] == [
        (0, False),
        (8, True),
    ]
