"""Tiers: which one a member has."""

from datetime import timedelta

import pytest
from django.utils import translation

from members.models import MemberTier, Notice, Tier, TierProgramme
from members.services import notices, tiers
from members.tasks.tiers import evaluate_tiers_nightly
from paymentsite.core import clock
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from tests.factories import cny
from tests.members.factories import MemberFactory
from tests.members.tiering import day, earn, held, levels, reasons

pytestmark = pytest.mark.django_db

NOW = day("2026-06-01")


def midnight(text):
    """When a day begins on the business's calendar."""
    return day(text).replace(hour=16) - timedelta(days=1)


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


def test_progress_of_an_unknown_source_cannot_be_undone():
    assert tiers.progress_undone(source="payment:none", cause="refund:1", qualifying=1, spend=cny(0), now=NOW) is None


def test_more_than_was_earned_cannot_be_undone():
    levels()
    member = MemberFactory()
    earn(member, 100, NOW, source="payment:1")
    tiers.progress_undone(source="payment:1", cause="refund:1", qualifying=60, spend=cny(0), now=NOW)

    with pytest.raises(ValueError, match="more than is left"):
        tiers.progress_undone(source="payment:1", cause="refund:2", qualifying=41, spend=cny(0), now=NOW)
    assert tiers.progress_of(member, NOW).have == 40


def test_progress_and_its_undoing_count_once():
    levels()
    member = MemberFactory()
    for _ in range(2):
        earn(member, 1_000, NOW, source="payment:1")
    assert tiers.progress_of(member, NOW).have == 1_000
    for _ in range(2):
        tiers.progress_undone(source="payment:1", cause="refund:1", qualifying=400, spend=cny(0), now=NOW)

    assert tiers.progress_of(member, NOW).have == 600


def test_members_go_up_at_once_and_are_told():
    levels()
    Tier.objects.filter(code="silver").update(name_zh="白银")
    member = MemberFactory(language="en")

    earn(member, 999, NOW)
    assert held(member, NOW) == "bronze"
    earn(member, 1, NOW + timedelta(seconds=1))
    assert held(member, NOW) == "silver"
    earn(member, 20_000, NOW + timedelta(seconds=2))

    assert reasons(member) == [("bronze", "earned"), ("silver", "earned"), ("platinum", "earned")]
    assert [notices.sentence(notice) for notice in Notice.objects.of(member)] == [
        "You are Platinum now.",
        "You are Silver now.",
    ]
    with translation.override("zh-hans"):
        assert notices.sentence(Notice.objects.of(member).last()) == "您现在是白银。"


def test_what_was_earned_stops_counting_after_twelve_months():
    levels()
    member = MemberFactory()
    earn(member, 600, day("2026-01-10"))
    earn(member, 4_400, day("2026-03-10"))

    row = MemberTier.objects.get(member=member)
    assert (row.tier.code, row.due_at) == ("gold", midnight("2027-01-10"))
    assert tiers.evaluate_due(now=midnight("2027-01-10") - timedelta(seconds=1)) == 0
    assert tiers.evaluate_due(now=midnight("2027-01-10")) == 1
    assert held(member, day("2027-01-10")) == "silver"
    assert tiers.evaluate_due(now=midnight("2027-01-10")) == 0
    assert tiers.evaluate_due(now=midnight("2027-03-10")) == 1
    assert reasons(member)[2:] == [("silver", "grace_over"), ("bronze", "grace_over")]
    assert MemberTier.objects.get(member=member).due_at is None


def test_member_whose_tier_cannot_be_worked_out_keeps_no_other_waiting(monkeypatch):
    levels()
    broken, whole = MemberFactory(), MemberFactory()
    for member in (broken, whole):
        earn(member, 600, day("2026-01-10"))
        earn(member, 4_400, day("2026-03-10"))
    evaluate, due = tiers.evaluate, MemberTier.objects.get(member=broken).due_at

    def sometimes(*, member, now):
        if member == broken:
            raise ZeroDivisionError
        return evaluate(member=member, now=now)

    monkeypatch.setattr(tiers, "evaluate", sometimes)

    assert tiers.evaluate_due(now=due) == 1
    assert (held(broken, due), held(whole, due)) == ("gold", "silver")
    assert OpenItem.objects.open().about(broken).get().kind == tiers.STUCK
    tiers.evaluate_due(now=due)
    assert OpenItem.objects.open().count() == 1

    monkeypatch.undo()
    assert tiers.evaluate_due(now=due) == 1
    assert (held(broken, due), OpenItem.objects.get().state) == ("silver", "done")


def test_item_about_a_tier_is_done_by_night_when_the_member_s_next_purchase_worked_it_out(monkeypatch):
    levels()
    broken = MemberFactory()
    earn(broken, 5_000, day("2026-01-10"))
    due = MemberTier.objects.get(member=broken).due_at
    with monkeypatch.context() as patch:
        patch.setattr(tiers, "evaluate", lambda **_facts: 1 / 0)
        assert evaluate_tiers_nightly(now=due) == "0 members"
    assert OpenItem.objects.open().count() == 1

    earn(broken, 600, due)

    assert evaluate_tiers_nightly(now=due) == "0 members"
    assert not OpenItem.objects.open().exists()


def test_grace_keeps_the_tier_and_earning_again_ends_it():
    levels(grace_days=30)
    member = MemberFactory(language="en")
    earn(member, 1_000, day("2026-01-10"))
    tiers.evaluate_due(now=midnight("2027-01-10"))

    assert held(member, day("2027-01-11")) == "silver"
    outlook = tiers.progress_of(member, day("2027-01-11"))
    assert (outlook.keeps_until, outlook.falls_to.code) == (midnight("2027-02-09"), "bronze")
    assert notices.sentence(Notice.objects.of(member).first()) == (
        "What you earned is no longer enough for Silver: it ends on 9 Feb 2027."
    )
    earn(member, 1_000, day("2027-01-20"))
    assert tiers.evaluate_due(now=midnight("2027-02-09")) == 0
    assert reasons(member) == [("bronze", "earned"), ("silver", "earned")]


def test_grace_over_leads_down_one_step_at_a_time():
    levels(grace_days=30, step_down="one")
    member = MemberFactory()
    earn(member, 5_000, day("2026-01-10"))

    for end in ("2027-01-10", "2027-02-09", "2027-03-11"):
        tiers.evaluate_due(now=midnight(end))

    assert reasons(member)[1:] == [("gold", "earned"), ("silver", "grace_over"), ("bronze", "grace_over")]


def test_calendar_year_and_since_joining():
    levels(window="year")
    member = MemberFactory()
    earn(member, 1_000, day("2026-12-30"))
    assert MemberTier.objects.get(member=member).due_at == midnight("2027-01-01")
    tiers.evaluate_due(now=midnight("2027-01-01"))
    assert held(member, day("2027-01-01")) == "bronze"

    TierProgramme.objects.update(window="ever", version=1)
    assert tiers.evaluate_due(now=day("2027-01-02")) == 0
    assert tiers.evaluate_stale(now=day("2027-01-02")) == 1
    assert reasons(member)[-1] == ("silver", "programme_changed")
    assert tiers.progress_of(member, day("2099-01-01")).keeps_until is None


def test_spend_counts_in_the_currency_of_the_programme():
    levels(measure="spend")
    member = MemberFactory()
    earn(member, 50_000, NOW, spend=999)
    tiers.progress(member=member, source="payment:eur", qualifying=0, spend=Money(5_000, "EUR"), now=NOW)

    assert (held(member, NOW), tiers.progress_of(member, NOW).have) == ("bronze", 999)


def test_refund_takes_the_tier_that_the_payment_gave():
    levels()
    member = MemberFactory()
    earn(member, 1_000, day("2026-01-10"), source="payment:1")

    tiers.progress_undone(source="payment:1", cause="refund:1", qualifying=1, spend=cny(0), now=day("2026-02-01"))

    assert held(member, day("2026-02-01")) == "bronze"
    assert tiers.progress_of(member, day("2026-02-01")).missing == 1


def test_outlook_says_how_far_it_is():
    made = levels()
    member = MemberFactory()
    earn(member, 1_200, day("2026-01-10"))

    outlook = tiers.progress_of(member, day("2026-01-11"))
    assert (outlook.tier, outlook.next_tier, outlook.need, outlook.missing) == (
        made["silver"],
        made["gold"],
        5_000,
        3_800,
    )
    assert (outlook.keeps_until, outlook.falls_to) == (midnight("2027-01-10"), made["bronze"])
    earn(member, 20_000, day("2026-01-12"))
    top = tiers.progress_of(member, day("2026-01-12"))
    assert (top.next_tier, top.need, top.missing) == (None, None, 0)


def test_who_is_not_due_costs_one_query_each_way(django_assert_num_queries):
    levels()
    for _ in range(3):
        earn(MemberFactory(), 2_000, NOW)

    with django_assert_num_queries(1):
        assert tiers.evaluate_due(now=NOW) == 0
