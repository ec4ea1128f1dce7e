"""Tiers: which one a member has."""

import pytest
from django.utils import translation

from members.models import Tier
from members.services import tiers
from paymentsite.core import clock
from tests.members.factories import MemberFactory

pytestmark = pytest.mark.django_db


def test_tier_is_the_base_where_there_is_no_other():
    member = MemberFactory()
    first = tiers.of(member, clock.now())

    assert (first.rank, first.threshold, first.earn_bp, first.fee_discount_bp, first.free_withdrawals) == (
        0,
        0,
        10_000,
        0,
        0,
    )
    assert tiers.of(member, clock.now()) == first
    assert Tier.objects.get() == first


def test_tier_is_called_in_the_readers_language():
    gold = Tier(name_en="Gold", name_zh="黄金")

    with translation.override("zh-hans"):
        assert str(gold) == "黄金"
        assert str(Tier(name_en="Gold")) == "Gold"
    with translation.override("en"):
        assert str(gold) == "Gold"
