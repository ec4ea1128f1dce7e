"""Who brings a member is rewarded once, for a purchase that stands."""

from datetime import timedelta

import pytest

from members.models import Earning, EarnRule, Purchase, Referral
from members.personal_earnings import brought as brought_by
from members.services import points
from members.services.points import referrals
from members.services.points.referrals import NotNew, OwnReferral, ReferredAlready
from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.core.models import OpenItem
from tests.members.factories import member
from tests.members.pointing import after, freeze, pay, refund, rule, standing

pytestmark = pytest.mark.django_db


def brought(ada, bo):
    return points.refer(member=bo, referrer=ada, now=clock.now())


def test_who_brings_a_member_is_rewarded_once_when_a_purchase_is_final():
    rule("bring", kind="referral", points=500)
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 10_00, source="p1")
    pay(bo, 10_00, source="p2")
    assert points.reward_due(now=clock.now()) == 0

    for source in ("p1", "p2"):
        points.final(source=source, now=clock.now())

    assert [points.reward_due(now=clock.now()) for _ in range(2)] == [1, 0]
    assert (standing(ada), standing(bo)) == ((500, 0, 0, 0), (0, 0, 0, 0))
    assert Earning.objects.get().source == f"referral:{bo.pk}"


def test_what_no_rule_promised_then_is_not_given_when_a_rule_comes_later():
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 10_00, source="p")
    points.final(source="p", now=clock.now())
    assert points.reward_due(now=clock.now()) == 0

    rule("bring", kind="referral", points=500)

    assert points.reward_due(now=clock.now()) == 0
    assert (Earning.objects.count(), standing(ada)) == (0, (0, 0, 0, 0))
    assert [each["rewarded"] for each in brought_by(ada)] == [None]


def test_what_a_rule_promised_then_is_given_though_it_is_over():
    bring = rule("bring", kind="referral", points=500)
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 10_00, source="p")
    points.final(source="p", now=clock.now())
    EarnRule.objects.filter(pk=bring.pk).update(superseded_at=clock.now() + timedelta(seconds=1))

    assert points.reward_due(now=clock.now() + timedelta(days=9)) == 1
    assert standing(ada) == (500, 0, 0, 0)
    assert [each["rewarded"] is None for each in brought_by(ada)] == [False]


def test_referral_that_cannot_be_rewarded_keeps_no_other_waiting_and_is_before_a_person_until_it_is(monkeypatch):
    rule("bring", kind="referral", points=500)
    ada, bo, chen, dana = (member() for _ in range(4))
    for referrer, new in ((ada, chen), (bo, dana)):
        brought(referrer, new)
        pay(new, 10_00, source=f"p{new.pk}")
        points.final(source=f"p{new.pk}", now=clock.now())
    made = referrals.earning.made

    def sometimes(*given, member_id, **facts):
        return made(*given, member_id=member_id, **facts) if member_id != ada.pk else 1 / 0

    with monkeypatch.context() as patch:
        patch.setattr(referrals.earning, "made", sometimes)
        assert [points.reward_due(now=clock.now()) for _ in range(2)] == [1, 0]
    assert (standing(ada), standing(bo)) == ((0, 0, 0, 0), (500, 0, 0, 0))
    item = OpenItem.objects.open().get()
    assert (item.kind, item.subject) == (referrals.STUCK, f"members.referral:{chen.pk}")

    assert points.reward_due(now=clock.now()) == 1
    assert (standing(ada), OpenItem.objects.get().state) == ((500, 0, 0, 0), "done")


def test_reward_that_the_books_refuse_is_before_a_person_until_it_is_given():
    rule("bring", kind="referral", points=500)
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 10_00, source="p")
    points.final(source="p", now=clock.now())
    freeze(ada)
    assert points.reward_due(now=clock.now()) == 0
    assert OpenItem.objects.open().get().kind == referrals.STUCK
    freeze(ada, "open")

    with after(1):
        assert points.reward_due(now=clock.now()) == 1
    assert (standing(ada), OpenItem.objects.get().state) == ((500, 0, 0, 0), "done")


def test_purchase_that_is_wholly_refunded_rewards_nobody_and_the_next_one_does():
    rule("bring", kind="referral", points=500)
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 1_00, source="p1")
    points.final(source="p1", now=clock.now())
    refund("p1", cause="r1")

    assert points.reward_due(now=clock.now()) == 0
    assert (standing(ada), Referral.objects.get().due_at) == ((0, 0, 0, 0), None)
    assert [each["rewarded"] for each in brought_by(ada)] == [None]

    pay(bo, 1_00, source="p2")
    assert points.reward_due(now=clock.now()) == 0
    points.final(source="p2", now=clock.now())
    assert [points.reward_due(now=clock.now()) for _ in range(2)] == [1, 0]
    assert standing(ada) == (500, 0, 0, 0)


@pytest.mark.parametrize(("refunded", "by", "given"), [(99, "p1", 500), (100, "p2", 200)])
def test_referral_is_earned_by_the_first_final_purchase_that_stands(refunded, by, given):
    bring = rule("bring", kind="referral", points=500)
    ada, bo = member(), member()
    brought(ada, bo)
    pay(bo, 1_00, source="p1")
    pay(bo, 1_00, source="p2")
    points.final(source="p1", now=clock.now())
    EarnRule.objects.filter(pk=bring.pk).update(superseded_at=clock.now() + timedelta(days=1))
    with after(2):
        rule("less", kind="referral", points=200, starts_at=clock.now())
        points.final(source="p2", now=clock.now())
        refund("p1", refunded, cause="r")

        assert points.reward_due(now=clock.now()) == 1
    assert standing(ada) == (given, 0, 0, 0)
    assert Referral.objects.get().due_at == Purchase.objects.get(source=by).final_at


def test_nobody_brings_themselves_or_whom_they_did_not():
    ada, bo, chen = member(), member(), member()
    brought(bo, chen)

    for referrer, new, refusal in (
        (ada, ada, OwnReferral),
        (bo, ada, NotNew),
        (chen, bo, NotNew),
        (ada, chen, ReferredAlready),
    ):
        with pytest.raises(refusal):
            brought(referrer, new)
    assert brought(bo, chen).referrer == bo


def test_who_has_bought_before_is_not_new():
    ada, bo = member(), member()
    pay(bo, 10_00, source="p")

    with pytest.raises(DomainError):
        brought(ada, bo)
