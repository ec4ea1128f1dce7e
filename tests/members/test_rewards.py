"""Rewards: taken for points, given back, and coupons used once."""

from datetime import timedelta

import pytest

from members import tasks
from members.models import Coupon, Redemption, Reward
from members.queries import rewards as catalogue_of
from members.services import catalogue, coupons, members, rewards
from members.services.members import MemberSuspended
from members.services.references import InvalidReference
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal, Lot
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import cny, purse
from tests.members.catalogue import approved, code_of, coupon_reward, goods, staff
from tests.members.factories import MemberFactory
from tests.members.tiering import earn, fund_points, levels, points_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    made = MemberFactory()
    fund_points(made, 250)
    return made


def redeem(member, reward, reference="r1", **more):
    return rewards.redeem(member=member, reward=reward, reference=reference, by=Actor.of(member.user), **more)


def left(member):
    return books.standing(points_account(member)).posted.minor


def test_refused_redemption_leaves_nothing(member):
    reward = goods(stock=1, points=251)

    for _ in range(2):
        with pytest.raises(InsufficientFunds):
            redeem(member, reward)

    reward.refresh_from_db()
    assert (reward.stock_left, left(member), Redemption.objects.count()) == (1, 250, 0)


def test_reward_that_is_gone_or_not_offered_is_refused(member):
    now = clock.now()
    withdrawn = catalogue.withdraw(reward=goods(), by=SYSTEM, reason="test")
    for reward, refusal in [
        (goods(stock=0), rewards.RewardGone),
        (goods(until_at=now), rewards.RewardNotOffered),
        (goods(from_at=now + timedelta(days=1)), rewards.RewardNotOffered),
        (withdrawn, rewards.RewardNotOffered),
    ]:
        with pytest.raises(refusal):
            redeem(member, reward)
    assert left(member) == 250


def test_reference_that_holds_a_card_number_is_refused(member):
    with pytest.raises(InvalidReference):
        redeem(member, goods(), "4111-1111-1111-1111")

    assert redeem(member, goods(), "4111-1111-1111-1112").points == 100


def test_suspended_member_takes_nothing(member):
    members.suspend(member=member, by=SYSTEM, reason="test")
    with pytest.raises(MemberSuspended):
        redeem(member, goods())


def test_reward_of_a_tier_is_for_those_who_have_it(member):
    made = levels()
    reward = goods(tier=made["silver"])

    with pytest.raises(rewards.TierTooLow):
        redeem(member, reward)
    assert list(catalogue_of.for_tier(made["bronze"], clock.now())) == []
    earn(member, 1_000, clock.now())
    assert list(catalogue_of.for_tier(made["gold"], clock.now())) == [reward]
    assert redeem(member, reward, "r2").points == 100


def test_redemption_repeated_is_the_first_one(member):
    reward, other = goods(stock=5), goods()

    first = redeem(member, reward)
    assert redeem(member, reward) == first
    with pytest.raises(rewards.RedemptionDiffers):
        redeem(member, other)

    reward.refresh_from_db()
    assert (reward.stock_left, left(member)) == (4, 150)
    assert Journal.objects.get(pk=first.journal_id).source == f"redemption:{first.public_id}"


def test_same_reference_of_another_member_is_another_redemption(member):
    other = MemberFactory()
    fund_points(other, 100)
    reward = goods()

    assert redeem(member, reward).public_id != redeem(other, reward).public_id
    assert (left(member), left(other)) == (150, 0)


def test_money_is_taken_into_a_wallet_alone(member):
    reward = goods(kind="wallet_credit", credit_minor=500, currency="CNY")
    wallet = purse(owner=member.owner)

    with pytest.raises(rewards.CreditNeedsWallet):
        redeem(member, reward)
    credit = ledger.Move(reward.credit, ledger.house("rewards", "CNY"), wallet)
    redemption = redeem(member, reward, entries=[credit])

    assert books.standing(wallet).posted == cny(500)
    assert redemption.journal.postings.count() == 2
    with pytest.raises(rewards.CancelTakesTwo):
        rewards.cancel(redemption=redemption, by=SYSTEM, reason="mistake")
    assert (books.standing(wallet).posted, left(member)) == (cny(500), 150)


@pytest.mark.parametrize(
    ("minor", "unit", "kind"),
    [
        (499, "CNY", "wallet_credit"),
        (501, "CNY", "wallet_credit"),
        (500, "EUR", "wallet_credit"),
        (500, "CNY", "goods"),
    ],
)
def test_money_moved_is_what_the_reward_is_worth(member, minor, unit, kind):
    worth = {"credit_minor": 500, "currency": "CNY"} if kind == "wallet_credit" else {}
    reward, wallet = goods(kind=kind, **worth), purse(owner=member.owner, unit=unit)

    with pytest.raises(rewards.CreditDiffers):
        redeem(member, reward, entries=[ledger.Move(Money(minor, unit), ledger.house("rewards", unit), wallet)])

    assert (books.standing(wallet).posted, left(member)) == (Money(0, unit), 250)


def test_money_moved_is_the_members_and_in_all_what_the_reward_is_worth(member):
    reward = goods(kind="wallet_credit", credit_minor=500, currency="CNY")
    house, wallet, another, others = (
        ledger.house("rewards", "CNY"),
        purse(owner=member.owner),
        purse(owner=member.owner, code="another"),
        purse(owner=MemberFactory().owner),
    )
    for entries in (
        [ledger.Move(cny(500), house, others)],
        [ledger.Move(cny(500), house, wallet), ledger.Move(cny(1), house, another)],
        [ledger.Move(cny(500), house, wallet), ledger.Move(cny(1), wallet, others)],
    ):
        with pytest.raises(rewards.CreditDiffers):
            redeem(member, reward, entries=entries)

    redeem(member, reward, entries=[ledger.Move(cny(200), house, wallet), ledger.Move(cny(300), house, another)])
    assert (books.standing(wallet).posted, books.standing(another).posted) == (cny(200), cny(300))


def test_cancelled_redemption_gives_the_same_lots_and_the_stock_back():
    member, today = MemberFactory(), clock.today()
    for days in (10, 20):
        fund_points(member, 80, expires_on=today + timedelta(days=days))
    lots = [(lot.expires_on, lot.used_minor) for lot in Lot.objects.order_by("expires_on")]
    reward = goods(stock=1)
    redemption = redeem(member, reward)

    with pytest.raises(rewards.CancelReasonMissing):
        rewards.cancel(redemption=redemption, by=SYSTEM, reason=" ")
    for _ in range(2):
        rewards.cancel(redemption=redemption, by=SYSTEM, reason="mistake")

    reward.refresh_from_db()
    redemption.refresh_from_db()
    assert (reward.stock_left, left(member), redemption.state) == (1, 160, "cancelled")
    assert [(lot.expires_on, lot.used_minor) for lot in Lot.objects.order_by("expires_on")] == lots
    assert redeem(member, reward, "r2").points == 100


def test_coupon_is_used_once_by_whoever_shows_it(member):
    coupon = redeem(member, coupon_reward()).coupon
    code = coupon.code.decrypt()

    with pytest.raises(coupons.NoSuchCoupon):
        rewards.use_coupon(code=Secret("AAAA-BBBB"), by=SYSTEM, source="payment:1")
    used = rewards.use_coupon(code=Secret(code.reveal().lower()), by=SYSTEM, source="payment:1")
    assert (used.state, used.discount_bp, used.value, used.used_for) == ("used", 1_000, None, "payment:1")
    assert rewards.use_coupon(code=code, by=SYSTEM, source="payment:1") == used
    with pytest.raises(coupons.CouponUsed):
        rewards.use_coupon(code=code, by=SYSTEM, source="payment:2")
    with pytest.raises(coupons.CouponUsed):
        rewards.cancel(redemption=coupon.redemption, by=SYSTEM, reason="mistake")
    assert left(member) == 150


def test_coupon_of_a_cancelled_redemption_is_worth_nothing(member):
    redemption = redeem(member, coupon_reward(discount_bp=None, credit_minor=700, currency="CNY"))
    code = code_of(redemption)
    assert redemption.coupon.value == cny(700)

    rewards.cancel(redemption=redemption, by=SYSTEM, reason="mistake")

    with pytest.raises(coupons.CouponCancelled):
        rewards.use_coupon(code=code, by=SYSTEM, source="payment:1")


def test_coupon_expires(member):
    redemption = redeem(member, coupon_reward())
    end = redemption.coupon.expires_at
    assert catalogue_of.next_coupon_end(clock.now()) == end

    with clock.standing(end), pytest.raises(coupons.CouponExpired):
        rewards.use_coupon(code=code_of(redemption), by=SYSTEM, source="payment:1")
    assert tasks.rewards.expire_coupons(now=end - timedelta(seconds=1)) == "0 coupons"
    assert tasks.rewards.expire_coupons(now=end) == "1 coupons"
    assert tasks.rewards.expire_coupons(now=end) == "0 coupons"
    assert Coupon.objects.get().state == "expired"


def test_code_is_not_stored_in_clear(member):
    coupon = Coupon.objects.get(pk=redeem(member, coupon_reward()).coupon.pk)
    code = coupon.code.decrypt().reveal()

    assert len(code) == 16
    assert code.encode() not in bytes(coupon.code.envelope.raw)
    assert code not in coupon.code_digest


@pytest.mark.parametrize(
    "terms",
    [
        {"points": 0},
        {"kind": "gift"},
        {"kind": "coupon"},
        {"kind": "coupon", "discount_bp": 10, "coupon_days": 0},
        {"kind": "coupon", "discount_bp": 10, "credit_minor": 5, "currency": "CNY", "coupon_days": 9},
        {"kind": "wallet_credit"},
        {"kind": "wallet_credit", "credit_minor": 5, "currency": "PTS"},
        {"credit_minor": 5, "currency": "CNY"},
        {"stock": -1},
    ],
)
def test_reward_that_cannot_be_is_refused(terms):
    with pytest.raises(catalogue.InvalidReward):
        goods(**terms)


def test_catalogue_takes_two_people():
    maker, checker = staff("maker"), staff("checker", "approve_rewards")
    terms = {"kind": "goods", "name_en": "Mug", "name_zh": "马克杯", "points": 100, "stock": 3}

    proposal = catalogue.offer(terms=terms, by=maker, reason="spring")
    assert not Reward.objects.exists()
    with pytest.raises(approvals.OwnProposal):
        approved(proposal, maker)
    approved(proposal, checker)
    reward = Reward.objects.get()
    approved(catalogue.restock(reward=reward, more=2, by=maker, reason="more came"), checker)
    reward.refresh_from_db()
    assert (reward.stock, reward.stock_left) == (5, 5)

    with pytest.raises(catalogue.RewardHasNoStock):
        catalogue.restock(reward=goods(), more=2, by=maker, reason="more came")
    for more in (0, -1, catalogue.STOCK_MAX - 4, 10**25):
        with pytest.raises(catalogue.InvalidReward):
            catalogue.restock(reward=reward, more=more, by=maker, reason="more came")
    catalogue.withdraw(reward=reward, by=maker, reason="over")
    with pytest.raises(catalogue.RewardWithdrawn):
        catalogue.restock(reward=reward, more=2, by=maker, reason="more came")
