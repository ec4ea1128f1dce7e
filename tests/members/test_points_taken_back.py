"""Refunds: a payment has earned what the rest of it would have, whatever became of the points."""

from datetime import timedelta

import pytest

from members.models import EarnBudget, Purchase
from members.services import points
from members.services.points.taking_back import NoSuchPurchase, RefundedAlready, RefundExceeds
from paymentsite.core import clock
from paymentsite.core.money import UnitMismatch
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Lot
from tests.factories import cny, pts
from tests.members.factories import member
from tests.members.pointing import budget, earning, house, pay, refund, rule, spend, standing

pytestmark = pytest.mark.django_db


def after(days):
    return clock.standing(clock.now() + timedelta(days=days))


def test_refund_of_what_was_never_paid_is_refused():
    with pytest.raises(NoSuchPurchase):
        points.taken_back(source="nothing", cause="r", part=cny(1), now=clock.now())


@pytest.mark.parametrize("minor", [0, -1, 10_01])
def test_refund_of_more_than_is_left_is_refused_and_changes_nothing(minor):
    rule()
    ada = member()
    pay(ada, 20_00, source="p")
    refund("p", 10_00, cause="r1")

    with pytest.raises(RefundExceeds):
        refund("p", minor, cause="r2")

    assert (standing(ada), Purchase.objects.get().refunded_minor) == ((10, 0, 0, 0), 10_00)


def test_refund_is_taken_back_once():
    rule()
    pay(member(), 20_00, source="p")
    refund("p", 10_00, cause="r1")

    with pytest.raises(RefundedAlready):
        refund("p", 10_00, cause="r1")


def test_refund_in_another_currency_is_refused():
    rule()
    pay(member(), 20_00, source="p", currency="USD")

    with pytest.raises(UnitMismatch):
        refund("p", 1, cause="r")


PARTS = [
    # per, price, parts refunded one after the other, points left after each
    (100, 100_00, [100_00], [0]),
    (100, 100_00, [50_00, 50_00], [50, 0]),
    (100, 100_00, [33_33, 33_33, 33_34], [66, 33, 0]),
    (1000, 19_99, [1, 9_98, 1, 9_99], [1, 1, 0, 0]),
    (300, 10_00, [1_00, 1, 8_99], [3, 2, 0]),
    (100, 1_00, [1, 99], [0, 0]),
    (700, 99_99, [14_28] * 7 + [3], [12, 10, 8, 6, 4, 2, 0, 0]),
]


@pytest.mark.parametrize("pending", ["none", "days"])
@pytest.mark.parametrize(("per", "price", "parts", "left"), PARTS)
def test_partial_refunds_leave_what_the_rest_would_have_earned(per, price, parts, left, pending):
    rule(per_minor=per, qualifies=True, pending=pending, pending_days=9 if pending == "days" else 0)
    ada = member()
    pay(ada, price, source="p")

    seen = []
    for number, part in enumerate(parts):
        refund("p", part, cause=f"r{number}")
        seen.append(standing(ada))

    assert seen == [(0, n, 0, n) if pending == "days" else (n, 0, 0, n) for n in left]
    assert (house("points"), house("qualifying", "QPT")) == (0, 0)
    assert earning("p").state == "taken_back"


def test_bonus_stays_until_nothing_of_the_purchase_is_left():
    rule("welcome", kind="first_purchase", points=100)
    ada = member()
    pay(ada, 10_00, source="p")

    assert [refund("p", part, cause=f"r{part}").taken for part in (9_99, 1)] == [pts(0), pts(100)]
    assert pay(ada, 10_00, source="q").points == pts(100)


@pytest.mark.parametrize(
    ("policy", "left", "owed", "forgiven"),
    [("pending", (30, 0, 0, 0), 0, 100), ("zero", (0, 0, 0, 0), 0, 70), ("debt", (0, 0, -70, 0), 70, 0)],
)
def test_points_that_are_gone_are_dealt_with_as_the_rule_says(policy, left, owed, forgiven):
    rule(take_back=policy, pending="days", pending_days=1)
    ada = member()
    pay(ada, 100_00, source="p")
    with after(days=2):
        points.mature_due(now=clock.now())
        spend(ada, 70, reference="gone")

        taken = refund("p", cause="r")

    assert standing(ada) == left
    assert (taken.owed, taken.forgiven) == (pts(owed), pts(forgiven))
    assert earning("p").state == "taken_back"


def test_debt_is_repaid_by_what_is_earned_next():
    rule(take_back="debt")
    ada = member()
    pay(ada, 100_00, source="p")
    spend(ada, 100, reference="gone")
    refund("p", cause="r")

    pay(ada, 60_00, source="q")
    assert standing(ada) == (0, 0, -40, 0)
    pay(ada, 60_00, source="s")
    assert standing(ada) == (20, 0, 0, 0)


@pytest.mark.parametrize("policy", ["zero", "debt"])
def test_debt_that_a_refunded_payment_had_repaid_is_owed_again(policy):
    rule("owing", take_back="debt", scope="merchant", scope_key="first")
    rule("paying", take_back=policy, scope="merchant", scope_key="second")
    ada = member()
    pay(ada, 100_00, source="p", merchant="first")
    spend(ada, 100, reference="gone")
    refund("p", cause="r")
    pay(ada, 150_00, source="q", merchant="second")
    spend(ada, 50, reference="gone too")

    refund("q", cause="s")

    assert standing(ada) == (0, 0, -100 if policy == "zero" else -150, 0)


def test_refund_takes_the_very_points_and_then_others():
    rule("short", expiry="months", expiry_months=1, scope="merchant", scope_key="short")
    rule("long", scope="merchant", scope_key="long")
    ada = member()
    pay(ada, 10_00, source="old", merchant="short")
    pay(ada, 10_00, source="new", merchant="long")

    refund("new", 5_00, cause="r1")
    assert [lot.left_minor for lot in Lot.objects.order_by("expires_on")] == [10, 5]
    spend(ada, 12, reference="gone")
    refund("new", cause="r2")
    assert [lot.left_minor for lot in Lot.objects.order_by("expires_on")] == [0, 0]
    assert (earning("new").taken_points, earning("new").forgiven) == (8, 2)


@pytest.mark.parametrize("lapsed", [True, False])
def test_what_lapsed_unspent_is_not_asked_for_again(lapsed):
    rule(expiry="months", expiry_months=1, take_back="debt")
    rule("lasting", scope="merchant", scope_key="lasting", take_back="debt", points=2)
    ada = member()
    pay(ada, 100_00, source="p")
    spend(ada, 30, reference="gone")
    pay(ada, 10_00, source="q", merchant="lasting")

    with after(70):
        if lapsed:
            ledger.lapse_lots(today=clock.today())
        refund("p", cause="r")
        ledger.lapse_lots(today=clock.today())

    assert standing(ada) == (0, 0, -10, 0)
    assert (earning("p").lapsed, house("breakage")) == (70, 70)


def test_points_that_the_payment_spent_come_back_as_they_were():
    rule("short", expiry="months", expiry_months=3, scope="merchant", scope_key="short")
    rule("long", scope="merchant", scope_key="long")
    ada = member()
    pay(ada, 10_00, source="a", merchant="short")
    pay(ada, 10_00, source="b", merchant="long")
    pay(ada, 30_00, source="p", spending=15, earning=cny(15_00))

    back = [refund("p", part, cause=f"r{part}").returned.minor for part in (9_99, 10_01, 10_00)]

    assert back == [4, 6, 5]
    assert [lot.left_minor for lot in Lot.objects.order_by("expires_on")] == [10, 10]


def test_points_that_come_back_pay_for_those_that_are_taken():
    rule(take_back="debt")
    ada = member()
    pay(ada, 100_00, source="first")
    pay(ada, 50_00, source="p", spending=100)
    spend(ada, 50, reference="gone")

    refund("p", cause="r")

    assert standing(ada) == (50, 0, 0, 0)


def test_of_points_that_come_back_those_that_have_not_expired_pay_for_those_that_are_taken():
    rule("short", expiry="months", expiry_months=1, scope="merchant", scope_key="short")
    rule("long", expiry="months", expiry_months=9, scope="merchant", scope_key="long")
    rule("owing", take_back="debt", scope="merchant", scope_key="owing")
    ada = member()
    pay(ada, 10_00, source="a", merchant="short")
    pay(ada, 10_00, source="b", merchant="long")
    pay(ada, 30_00, source="p", merchant="owing", spending=15)
    spend(ada, 35, reference="gone")

    with after(70):
        refund("p", cause="r")

    assert standing(ada) == (10, 0, -25, 0)
    assert [lot.left_minor for lot in Lot.objects.order_by("expires_on")] == [10, 0, 0]


def test_what_comes_back_can_be_given_by_its_campaign_again():
    rule(budget=budget(100))
    ada = member()
    pay(ada, 100_00, source="p")
    spend(ada, 30, reference="gone")

    refund("p", cause="r")

    assert EarnBudget.objects.get().used == 30


def test_refund_after_maturing_goes_the_way_back():
    rule(pending="days", pending_days=3)
    ada = member()
    pay(ada, 100_00, source="p")
    refund("p", 40_00, cause="r1")
    with after(4):
        points.mature_due(now=clock.now())
    assert standing(ada) == (60, 0, 0, 0)

    refund("p", 10_00, cause="r2")
    assert standing(ada) == (50, 0, 0, 0)
    refund("p", cause="r3")
    assert (standing(ada), house("points")) == ((0, 0, 0, 0), 0)


def test_payment_wholly_refunded_is_never_final():
    rule(pending="final")
    ada = member()
    pay(ada, 100_00, source="p")
    refund("p", cause="r")

    points.final(source="p", now=clock.now())

    assert points.mature_due(now=clock.now()) == 0
    assert Purchase.objects.get().final_at is None
