"""Tiers and rewards in the back office: read-only, and what is proposed waits for another person."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import demo
from members.models import Coupon, MemberTier, Progress, Redemption, Reward, Tier, TierChange, TierProgramme, User
from members.services import rewards
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import Approval
from paymentsite.ledger import queries as books
from tests.members.catalogue import code_of, coupon_reward, goods
from tests.members.factories import member
from tests.members.tiering import earn, fund_points, levels, points_account

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (Tier, TierProgramme, MemberTier, TierChange, Progress, Reward, Redemption, Coupon)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:members_{model._meta.model_name}"
    if row is None:
        return reverse(f"{prefix}_{name or 'changelist'}")
    return reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


def customer():
    """A member of whom there is a row on every page."""
    made = member()
    earn(made, 1_200, clock.now())
    fund_points(made, 500)
    rewards.redeem(member=made, reward=coupon_reward(), reference="r", by=SYSTEM)
    return made


@pytest.mark.parametrize("model", MODELS)
def test_pages_need_staff(client, model):
    client.force_login(User.objects.create_user("member@example.com"))
    assert client.get(page(model)).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_the_same_number_of_queries_for_any_number_of_rows(operator, model):
    levels()
    customer()
    operator.get(page(model))

    def count():
        with CaptureQueriesContext(connection) as made:
            assert operator.get(page(model)).status_code == 200
        return len(made)

    few = count()
    for _ in range(3):
        customer()
    assert count() == few


@pytest.mark.parametrize("model", MODELS)
def test_row_has_a_page_and_nothing_on_it_can_be_saved(operator, model):
    levels()
    customer()
    row = model.objects.last()

    assert operator.get(page(model, row)).status_code == 200
    assert operator.post(page(model, row), {}).status_code == 403


def test_code_of_a_coupon_is_not_shown(operator):
    levels()
    made = customer()
    code = code_of(Redemption.objects.get(member=made)).reveal()

    assert code not in operator.get(page(Coupon, Coupon.objects.get())).content.decode()


def test_members_are_found_by_their_id(operator):
    levels()
    first, second = customer(), customer()

    found = operator.get(page(MemberTier), {"q": str(first.pk)}).context["cl"].result_list
    assert [row.pk for row in found] == [first.pk]
    assert second.pk != first.pk
    assert list(operator.get(page(MemberTier), {"q": "x"}).context["cl"].result_list) == []


def test_proposals_wait(operator):
    made, who, reward = levels(), member(), goods(stock=1)
    silver = {"name_en": "Silver", "rank": 10, "threshold": 900, "currency": "QPT", "earn_bp": "100"}
    silver["fee_discount_bp"] = 0
    silver |= {"free_withdrawals": 0, "fx_margin_bp": "1", "upgrade_points": 100, "reason": "test"}
    programme = {"measure": "spend", "currency": "CNY", "window": "year", "grace_days": 9, "step_down": "one"}
    programme |= {"takes_silver": "500", "takes_gold": "2,000.50", "takes_platinum": "9000"}
    gift = {"member": who.pk, "tier": made["gold"].pk, "until_0": "2190-01-01", "until_1": "00:00", "reason": "test"}
    offer = {"kind": "goods", "name_en": "Cup", "points": 5, "reason": "test"}

    operator.post(page(Tier, made["silver"], "change_tier_terms"), silver)
    operator.post(page(Tier, name="add_tier"), {**silver, "code": "diamond", "rank": 40, "threshold": 90_000})
    operator.post(page(TierProgramme, name="change_programme"), {**programme, "reason": "test"})
    operator.post(page(MemberTier, name="give"), gift)
    operator.post(page(Reward, name="offer"), offer)
    operator.post(page(Reward, reward, "restock"), {"more": 2, "reason": "test"})

    assert list(Approval.objects.order_by("pk").values_list("act", flat=True)) == [
        "members.change_tier",
        "members.add_tier",
        "members.change_tier_programme",
        "members.give_tier",
        "members.offer_reward",
        "members.restock_reward",
    ]
    assert Approval.objects.first().effect["after"] == {"threshold": {"amount": 900, "currency": "QPT"}}
    assert Approval.objects.get(act="members.change_tier_programme").arguments["thresholds"]["value"] == {
        "silver": 50_000,
        "gold": 200_050,
        "platinum": 900_000,
    }
    assert (Tier.objects.count(), Reward.objects.count(), MemberTier.objects.count()) == (4, 1, 0)


def test_threshold_is_not_read_in_what_the_programme_counts_since(operator):
    made = levels()
    asked = operator.get(page(Tier, made["silver"], "change_tier_terms")).context["form"]
    answers = {name: asked[name].value() or "" for name in asked.fields} | {"threshold": "900", "reason": "test"}
    TierProgramme.objects.update(measure="spend")

    said = operator.post(page(Tier, made["silver"], "change_tier_terms"), answers).content.decode()

    assert "counted in something else now" in said
    assert not Approval.objects.exists()


def test_thresholds_that_are_left_are_not_proposed(operator):
    levels(grace_days=3)
    asked = operator.get(page(TierProgramme, name="change_programme")).context["form"]
    assert list(asked.fields)[-4:] == ["takes_silver", "takes_gold", "takes_platinum", "reason"]
    answers = {name: asked[name].value() for name in asked.fields} | {"grace_days": 9, "reason": "kinder"}

    operator.post(page(TierProgramme, name="change_programme"), answers)

    proposed = Approval.objects.get()
    assert proposed.arguments["terms"]["value"] == {"grace_days": 9}
    assert not proposed.arguments["thresholds"]


def test_gift_to_nobody_is_refused(operator):
    made = levels()
    gift = {"member": 999, "tier": made["gold"].pk, "until_0": "2190-01-01", "until_1": "00:00", "reason": "test"}

    assert "There is no such member." in operator.post(page(MemberTier, name="give"), gift).content.decode()


def test_reward_is_withdrawn_and_redemption_cancelled_at_once(operator):
    levels()
    who = customer()
    redemption = Redemption.objects.get(member=who)

    operator.post(page(Reward, redemption.reward, "withdraw"), {"reason": "test"})
    operator.post(page(Redemption, redemption, "cancel"), {"reason": "test"})

    redemption.refresh_from_db()
    assert Reward.objects.get().withdrawn_at is not None
    assert (redemption.state, books.standing(points_account(who)).posted.minor) == ("cancelled", 500)


def test_demo_has_tiers_and_rewards():
    Tier.objects.create(code="base", name_en="Base", rank=0)
    for _ in range(2):
        list(demo.fill())

    assert list(Tier.objects.values_list("code", flat=True)) == ["bronze", "silver", "gold", "platinum"]
    assert Reward.objects.count() == 5
