"""Since when members are there, who brought them, how long coupons are good, what was told: verify names the rest."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db.models import F

from members.models import Coupon, LimitUse, Member, Redemption, Referral
from members.services import catalogue, coupons, points, rewards
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import uuid7
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret, lookup
from tests.members.factories import member
from tests.members.limiting import cap, someone, take
from tests.members.pointing import after, pay, rule

pytestmark = pytest.mark.django_db

JOINED = "members.joined_as_told"
BROUGHT = "members.referrer_is_told"
LASTS = "members.coupon_lasts_as_offered"
CODES = "members.coupon_codes_open"
TOLD = "members.told_uses_were_not_judged"
Unprotected = Callable[[], AbstractContextManager[None]]
DAY = timedelta(days=1)


def named(*checks: str) -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=checks).findings]


class TestJoining:
    def test_members_who_joined_are_clean(self):
        with after(9):
            member()

        assert named(JOINED) == []

    @pytest.mark.parametrize("days", [-3_000, 1])
    def test_another_day_is_named(self, days):
        member()
        ada = member()
        Member.objects.filter(pk=ada.pk).update(joined_at=F("joined_at") + days * DAY)

        assert set(named(JOINED)) == {f"member {ada.pk}"}

    def test_another_day_with_its_id_is_named(self):
        ada = member()
        earlier = ada.joined_at - 3_000 * DAY
        Member.objects.filter(pk=ada.pk).update(joined_at=earlier, public_id=uuid7(earlier))

        assert named(JOINED) == [f"member {ada.pk}"]

    def test_member_of_whom_nothing_is_told_is_named(self, unprotected: Unprotected):
        ada = member()
        with unprotected():
            AuditEntry.objects.of(ada).filter(act="member.joined").update(act="member.nothing")

            assert named(JOINED) == [f"member {ada.pk}"]


class TestBringing:
    @pytest.fixture
    def referral(self) -> Referral:
        ada, bo = member(), member()
        points.refer(member=bo, referrer=ada, now=clock.now())
        return points.refer(member=bo, referrer=ada, now=clock.now())

    @pytest.mark.usefixtures("referral")
    def test_referral_is_told_once(self):
        assert (named(BROUGHT), AuditEntry.objects.filter(act="member.referred").count()) == ([], 1)

    def test_another_referrer_is_named(self, unprotected: Unprotected, referral):
        with unprotected():
            Referral.objects.update(referrer=member())

        assert named(BROUGHT) == [f"referral {referral.pk}"]

    def test_referral_that_is_gone_is_named(self, unprotected: Unprotected, referral):
        with unprotected():
            Referral.objects.all()._raw_delete("default")

        assert named(BROUGHT) == [f"referral {referral.pk}"]

    def test_referral_that_nobody_told_of_is_named(self, referral):
        cy = member()
        Referral.objects.create(member=cy, referrer=referral.referrer, at=clock.now())

        assert named(BROUGHT) == [f"referral {cy.pk}"]


def redeemed() -> Coupon:
    """A coupon of thirty days."""
    rule()
    ada = member()
    pay(ada, 100_00, source="p")
    words = {name: name for name in ("name_en", "name_zh", "description_en", "description_zh")}
    terms = {"points": 10, "stock": 5, "credit_minor": 100, "currency": "CNY", "coupon_days": 30}
    reward = catalogue.put({"kind": "coupon", **words, **terms}, by=SYSTEM, reason="test")
    return rewards.redeem(member=ada, reward=reward, reference="c", by=Actor.of(ada.user)).coupon


class TestCoupons:
    def test_coupons_in_every_state_are_clean(self):
        coupon = redeemed()
        assert named(LASTS, CODES) == []
        coupons.use(code=coupon.code.decrypt(), by=SYSTEM, source="order:1")

        assert named(LASTS, CODES) == []

    def test_coupon_that_was_cancelled_is_clean(self):
        coupon = redeemed()
        rewards.cancel(redemption=coupon.redemption, by=SYSTEM, reason="test")

        assert named(LASTS, CODES) == []

    def test_coupon_whose_time_is_over_is_clean(self):
        redeemed()
        with after(31):
            assert coupons.expire_due(now=clock.now()) == 1

            assert named(LASTS, CODES) == []

    def test_longer_life_is_named(self, unprotected: Unprotected):
        coupon = redeemed()
        with unprotected():
            Coupon.objects.update(expires_at=F("expires_at") + 99 * DAY)

        assert named(LASTS) == [f"coupon {coupon.pk}"]

    def test_later_life_is_named(self, unprotected: Unprotected):
        coupon = redeemed()
        with unprotected():
            Redemption.objects.update(at=F("at") + 99 * DAY)
            Coupon.objects.update(expires_at=F("expires_at") + 99 * DAY, made_at=F("made_at") + 99 * DAY)

        assert named(LASTS) == [f"coupon {coupon.pk}"]

    def test_coupon_that_is_alive_again_is_named(self, unprotected: Unprotected):
        coupon = redeemed()
        with after(40):
            coupons.expire_due(now=clock.now())
            with unprotected():
                Coupon.objects.update(state="open", ended_at=None, expires_at=clock.now() + 99 * DAY)

            assert named(LASTS) == [f"coupon {coupon.pk}"]

    def test_coupon_that_expires_too_soon_is_named(self):
        coupon = redeemed()
        Coupon.objects.update(state="expired", ended_at=clock.now())

        assert named(LASTS) == [f"coupon {coupon.pk}"]

    def test_coupon_that_is_found_by_another_code_is_named(self):
        coupon = redeemed()
        Coupon.objects.update(code_digest=lookup.digest(Secret("MYOWNCODE"), label="coupon.code"))

        assert named(CODES) == [f"coupon {coupon.pk}"]

    def test_code_that_does_not_open_is_named(self, unprotected: Unprotected):
        coupon = redeemed()
        with unprotected():
            Coupon.objects.update(public_id=uuid7(clock.now()))

        assert named(CODES) == [f"coupon {coupon.pk}"]


class TestToldUses:
    @pytest.fixture
    def use(self) -> LimitUse:
        cap(100)
        take(someone(), 60)
        return LimitUse.objects.get()

    @pytest.mark.usefixtures("use")
    def test_use_that_was_judged_is_clean(self):
        assert named(TOLD) == []

    @pytest.mark.parametrize("edit", [{"told": True}, {"told": True, "kind": "card"}, {"told": True, "judged": []}])
    def test_use_that_was_judged_is_none_that_was_told(self, unprotected: Unprotected, use, edit):
        with unprotected():
            LimitUse.objects.update(**edit)

        assert named(TOLD) == [f"use of limits {use.pk}"]
