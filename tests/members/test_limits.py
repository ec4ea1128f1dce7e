"""Limits: what is refused, what is told, what counts, and for how long."""

from datetime import timedelta

import pytest
from django.db import transaction

from members.models import LimitUse, Member
from members.services import limits, members
from members.services.limits import (
    ActLimitExceeded,
    BalanceLimitExceeded,
    Kind,
    LimitExceeded,
    LimitMissing,
    LimitSourceConflict,
)
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import AmountNegative, Money
from tests.factories import cny
from tests.members.limiting import NOON, cap, moment, someone, take, tier, used

pytestmark = pytest.mark.django_db


def test_nothing_is_allowed_where_no_limit_is_set():
    ada = someone()
    cap(5, measure="count")  # says how often, not how much
    cap(100, kind="withdrawal")
    cap(100, currency="EUR")

    with pytest.raises(LimitMissing):
        take(ada, 1)
    with pytest.raises(LimitMissing):
        limits.check_balance(member=ada, after=cny(1))
    assert not LimitUse.objects.exists()


@pytest.mark.parametrize("minor", [101, 10**18])
def test_more_than_the_limit_is_refused_and_leaves_nothing(minor):
    ada = someone()
    cap(100)

    with pytest.raises(LimitExceeded) as refused:
        take(ada, minor)

    assert refused.value.facts == {
        "limit": "any.amount.day",
        "cap": {"amount": 100, "currency": "CNY"},
        "used": {"amount": 0, "currency": "CNY"},
        "left": {"amount": 100, "currency": "CNY"},
        "resets_at": "2026-11-27T00:00:00+08:00",
    }
    assert str(refused.value) == (
        "This is more than the limit allows (all together, amount, a day): 0.00 CNY of 1.00 CNY is used, "
        "1.00 CNY is left until 27 Nov 2026, 00:00."
    )
    assert not LimitUse.objects.exists()


def test_negative_amount_gives_nothing_back():
    ada = someone()
    cap(100)

    with pytest.raises(AmountNegative):
        take(ada, -1)


@pytest.mark.django_db(transaction=True)
def test_taking_outside_a_transaction_is_a_bug():
    ada = someone()

    with pytest.raises(transaction.TransactionManagementError):
        limits.take(member=ada, kind=Kind.TRANSFER, amount=cny(1), source="transfer:1", now=NOON)


def test_limit_can_be_used_to_the_last_cent_and_no_further():
    ada = someone()
    cap(100)

    take(ada, 60, "transfer:1")
    take(ada, 40, "transfer:2")

    with pytest.raises(LimitExceeded) as refused:
        take(ada, 1, "transfer:3")
    assert refused.value.facts["left"] == {"amount": 0, "currency": "CNY"}
    assert used(ada) == {"any.amount.day": 100}


def test_source_counts_once_however_often_it_is_taken():
    ada = someone()
    cap(100)

    for _ in range(3):
        take(ada, 60)

    assert used(ada) == {"any.amount.day": 60}
    assert LimitUse.objects.count() == 1


def test_source_that_was_something_else_or_is_over_is_a_conflict():
    ada, bob = someone(), someone()
    cap(100)
    take(ada, 60)

    for other in (
        lambda: take(bob, 60),
        lambda: take(ada, 61),
        lambda: take(ada, 60, kind=Kind.PAYMENT),
    ):
        with pytest.raises(LimitSourceConflict):
            other()
    limits.give_back(source="transfer:1", now=NOON)
    with pytest.raises(LimitSourceConflict):
        take(ada, 60)


def test_what_is_given_back_can_be_used_again_once():
    ada = someone()
    cap(100)
    cap(2, measure="count")
    take(ada, 60, "transfer:1")
    take(ada, 40, "transfer:2")

    for _ in range(3):
        limits.give_back(source="transfer:1", now=NOON)
    limits.give_back(source="transfer:unknown", now=NOON)

    assert used(ada) == {"any.amount.day": 40, "any.count.day": 1}
    take(ada, 60, "transfer:3")
    with pytest.raises(LimitExceeded):
        take(ada, 1, "transfer:4")


def test_use_of_somebody_else_or_of_another_currency_or_kind_counts_elsewhere():
    ada, bob = someone(), someone()
    cap(100, kind="transfer")
    cap(100, kind="payment")
    cap(100, kind="transfer", currency="EUR")
    take(ada, 100, "transfer:1")

    take(bob, 100, "transfer:2")
    take(ada, 100, "payment:1", kind=Kind.PAYMENT)
    take(ada, Money(100, "EUR"), "transfer:3")


def test_joint_limit_counts_every_kind_beside_the_limit_of_each():
    ada = someone()
    cap(150)
    cap(100, kind="transfer")
    take(ada, 100, "transfer:1")

    with pytest.raises(LimitExceeded) as own:
        take(ada, 1, "transfer:2")
    with pytest.raises(LimitExceeded) as joint:
        take(ada, 51, "card:1", kind=Kind.CARD)
    take(ada, 50, "card:2", kind=Kind.CARD)

    assert (own.value.facts["limit"], joint.value.facts["limit"]) == ("transfer.amount.day", "any.amount.day")


def test_strictest_of_all_that_are_exceeded_is_told():
    ada = someone()
    cap(90, period="act")
    cap(100)
    cap(120, period="week")
    cap(130, period="month")
    take(ada, 80, "transfer:1", now=NOON - timedelta(days=1))

    with pytest.raises(LimitExceeded) as refused:
        take(ada, 200, "transfer:2")

    assert refused.value.facts["limit"] == "any.amount.week"
    assert refused.value.facts["left"] == {"amount": 40, "currency": "CNY"}
    assert refused.value.facts["resets_at"] == "2026-11-30T00:00:00+08:00"


def test_equally_strict_limits_tell_the_one_that_lasts():
    ada = someone()
    cap(100)
    cap(1, measure="count", period="month")
    take(ada, 100, "transfer:1")

    with pytest.raises(LimitExceeded) as refused:
        take(ada, 100, "transfer:2")

    facts = refused.value.facts
    assert (facts["limit"], facts["used"], facts["cap"], facts["left"]) == ("any.count.month", 1, 1, 0)
    assert facts["resets_at"] == "2026-12-01T00:00:00+08:00"


def test_limit_of_each_act_has_no_past():
    ada = someone()
    cap(100, period="act")
    take(ada, 100, "transfer:1")
    take(ada, 100, "transfer:2")

    with pytest.raises(ActLimitExceeded) as refused:
        take(ada, 101, "transfer:3")

    assert (
        str(refused.value) == "This is more than the limit allows (all together, amount, each time): 1.00 CNY at once."
    )


@pytest.mark.parametrize(
    ("period", "last", "next_"),
    [
        ("day", "2026-11-26 15:59", "2026-11-26 16:00"),
        ("week", "2026-11-29 15:59", "2026-11-29 16:00"),
        ("month", "2026-11-30 15:59", "2026-11-30 16:00"),
        ("year", "2026-12-31 15:59", "2026-12-31 16:00"),
    ],
)
def test_periods_are_those_of_the_member_s_calendar(period, last, next_):
    ada = someone(time_zone="Asia/Shanghai")
    cap(100, period=period)
    take(ada, 100, "transfer:1")

    with pytest.raises(LimitExceeded) as refused:
        take(ada, 1, "transfer:2", now=moment(last))
    take(ada, 100, "transfer:3", now=moment(next_))

    assert refused.value.facts["resets_at"] == moment(next_).astimezone(ada.zone).isoformat()


def test_most_specific_limit_of_each_sort_applies():
    ada, bob, cy = someone(level=1), someone(level=2), someone(level=0)
    gold = tier("gold", rank=0)  # everybody's, as long as nobody has another
    cap(10)
    cap(20, level=1)
    cap(25, level=2)
    cap(5, period="week", level=1)

    def caps(member: Member) -> dict[str, int]:
        return {each.limit.name: each.cap for each in limits.left(member, NOON)}

    assert caps(ada) == {"any.amount.day": 20, "any.amount.week": 5}
    assert caps(bob) == {"any.amount.day": 25}
    assert caps(cy) == {"any.amount.day": 10}
    cap(30, tier=gold)
    assert caps(ada)["any.amount.day"] == caps(cy)["any.amount.day"] == 30
    cap(1, member=ada)
    assert (caps(ada)["any.amount.day"], caps(bob)["any.amount.day"]) == (1, 30)


def test_limit_counts_while_it_is_in_force():
    ada = someone()
    cap(100, starts_at=NOON, ends_at=NOON + timedelta(hours=1))

    for now in (NOON - timedelta(seconds=1), NOON + timedelta(hours=1)):
        with pytest.raises(LimitMissing):
            take(ada, 1, now=now)
    take(ada, 100, now=NOON)


def test_balance_above_what_may_be_held_is_refused():
    ada = someone()
    cap(100, measure="balance", period="always")

    limits.check_balance(member=ada, after=cny(100))
    with pytest.raises(BalanceLimitExceeded) as refused:
        limits.check_balance(member=ada, after=cny(101))

    assert str(refused.value) == "This would leave 1.01 CNY, more than may be held (all together, balance): 1.00 CNY."


def test_what_is_left_can_be_asked():
    ada = someone()
    cap(100)
    cap(3, kind="transfer", measure="count")
    cap(500, measure="balance", period="always")
    cap(70, period="act")
    take(ada, 60)

    told = [(each.limit.name, each.used, each.left, each.resets_at) for each in limits.left(ada, NOON)]

    midnight = moment("2026-11-26 16:00")
    assert told == [
        ("any.amount.act", None, 70, None),
        ("any.amount.day", 60, 40, midnight),
        ("any.balance", None, 500, None),
        ("transfer.count.day", 1, 2, midnight),
    ]


@pytest.mark.attack
def test_whoever_flies_west_or_east_gains_nothing():
    """At any moment, what was used today counts until today is over where it was used, and here."""
    ada = someone(time_zone="Asia/Shanghai")
    cap(100)
    take(ada, 100, "transfer:1", now=moment("2026-11-26 09:30"))

    for zone in ("Pacific/Kiritimati", "Pacific/Auckland", "America/Los_Angeles", "Asia/Tokyo"):
        ada = members.edit(member=ada, by=SYSTEM, time_zone=zone)
        with pytest.raises(LimitExceeded):
            take(ada, 1, "transfer:2", now=moment("2026-11-26 15:59"))

    ada = members.edit(member=ada, by=SYSTEM, time_zone="Pacific/Kiritimati")
    take(ada, 100, "transfer:2", now=moment("2026-11-26 16:00"))
    ada = members.edit(member=ada, by=SYSTEM, time_zone="America/Los_Angeles")
    with pytest.raises(LimitExceeded):
        take(ada, 1, "transfer:3", now=moment("2026-11-27 07:59"))
    with pytest.raises(LimitExceeded) as refused:
        take(ada, 1, "transfer:3", now=moment("2026-11-27 08:01"))  # tomorrow here, today still where it was used
    assert refused.value.facts["resets_at"] == "2026-11-28T00:00:00-08:00"


def test_moments_that_come_in_the_wrong_order_count_too():
    ada = someone()
    cap(100)
    late = moment("2026-11-26 16:00")
    take(ada, 100, "transfer:1", now=late)

    with pytest.raises(LimitExceeded):
        take(ada, 1, "transfer:2", now=late - timedelta(milliseconds=5))


def test_level_is_read_under_the_lock():
    ada = someone(level=1)
    cap(100, level=1)
    cap(10, level=0)
    Member.objects.filter(pk=ada.pk).update(kyc_level=0)

    with pytest.raises(LimitExceeded):
        take(ada, 11)


def test_clock_s_now_is_what_balances_are_judged_at():
    ada = someone()
    cap(100, measure="balance", period="always", starts_at=NOON)

    with clock.standing(NOON - timedelta(seconds=1)), pytest.raises(LimitMissing):
        limits.check_balance(member=ada, after=cny(1))
    with clock.standing(NOON):
        limits.check_balance(member=ada, after=cny(1))
