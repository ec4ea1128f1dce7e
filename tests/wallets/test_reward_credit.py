"""Rewards that are money: paid with points, in the wallet, once; all or nothing."""

import pytest

from members.models import Redemption
from members.services import members, points, rewards
from members.services.members import MemberClosed, MemberSuspended
from members.services.rewards import (
    CancelTakesTwo,
    NoMoneyToTakeBack,
    RedemptionCancelled,
    RedemptionDiffers,
    RewardGone,
)
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import InsufficientFunds
from paymentsite.ledger.services import manual
from tests.factories import cny, fund, pts
from tests.members.catalogue import coupon_reward, goods
from tests.members.factories import member, superuser
from tests.wallets.factories import emptied, holds
from wallets.models import Wallet
from wallets.queries import statements
from wallets.services import leaving, reward_credit, wallets

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    """A member with 250 points."""
    made = member()
    fund(points.of(made).points, 250, ledger.Terms("test"))
    return made


def five_yuan(**terms):
    return goods(**{"name_en": "Five yuan", "kind": "wallet_credit", "credit_minor": 500, "currency": "CNY", **terms})


def redeem(ada, reward, reference="r1") -> Redemption:
    return reward_credit.redeem(member=ada, reward=reward, reference=reference, by=Actor.of(ada.user))


def purse_of(ada):
    return wallets.open(member=ada, currency="CNY", by=SYSTEM)


def left(ada) -> Money:
    return books.standing(points.of(ada).points).posted


def test_it_is_in_the_wallet_and_told_on_its_statement(ada):
    redemption = redeem(ada, five_yuan())

    assert (holds(purse_of(ada)), left(ada)) == (cny(500), pts(150))
    assert books.standing(ledger.house("rewards", "CNY")).posted == cny(-500)
    assert redemption.journal.postings.count() == 2
    assert [line.words for line in statements.lines(wallet=purse_of(ada)).lines] == ["Reward: Five yuan"]
    assert verification.discover().run(only=["members", "wallets", "ledger"]).findings == []


def test_repeated_it_is_the_first_also_when_the_wallet_is_over_and_its_member_has_left(ada):
    reward = five_yuan()
    first = redeem(ada, reward)
    emptied(ada)
    wallets.close(wallet=purse_of(ada), by=Actor.of(ada.user), reason="no more")
    assert redeem(ada, reward) == first
    assert Wallet.objects.of(ada).count() == 1

    leaving.leave(member=ada, by=Actor.of(ada.user), reason="bye", forfeit_points=True)
    ada.refresh_from_db()
    assert redeem(ada, reward) == first


def test_same_reference_is_the_same_reward_and_another_one_a_conflict(ada):
    reward = five_yuan()

    assert redeem(ada, reward) == redeem(ada, reward)

    with pytest.raises(RedemptionDiffers):
        redeem(ada, five_yuan(name_en="Another"))
    assert (holds(purse_of(ada)), left(ada)) == (cny(500), pts(150))


def test_too_few_points_leave_nothing_behind(ada, rows):
    reward = five_yuan(points=251)
    purse_of(ada)
    ledger.house("rewards", "CNY")
    with pytest.raises(InsufficientFunds):
        redeem(ada, reward)
    before = rows()

    with pytest.raises(InsufficientFunds):
        redeem(ada, reward)

    assert rows() == before
    assert (holds(purse_of(ada)), left(ada)) == (cny(0), pts(250))


def test_last_one_is_had_once(ada):
    reward = five_yuan(stock=1)
    redeem(ada, reward)

    with pytest.raises(RewardGone):
        redeem(ada, reward, "r2")
    assert holds(purse_of(ada)) == cny(500)


def test_suspended_member_gets_none(ada):
    reward = five_yuan()
    members.suspend(member=ada, by=Actor("staff", "0"), reason="x")

    with pytest.raises(MemberSuspended):
        redeem(ada, reward)


def test_other_kinds_come_as_they_do_without_a_wallet(ada):
    mug, ten_off = redeem(ada, goods()), redeem(ada, coupon_reward(), "r2")

    assert (mug.reward.kind, ten_off.reward.kind, ten_off.coupon.state) == ("goods", "coupon", "open")
    assert left(ada) == pts(50)


def taken_back(redemption):
    """One proposes it, another one approves it."""
    proposal = rewards.take_back(redemption=redemption, by=Actor("staff", "999999"), reason="mistake")
    second = Actor.of(superuser("second@example.com"))
    return approvals.approve(approval=proposal, by=second, shown=proposal.shown)


def test_taken_back_it_goes_from_the_wallet_by_two_people(ada):
    redemption = redeem(ada, five_yuan())
    with pytest.raises(CancelTakesTwo):
        rewards.cancel(redemption=redemption, by=Actor("staff", "0"), reason="mistake")

    effect = taken_back(redemption).effect

    assert (holds(purse_of(ada)), left(ada)) == (cny(0), pts(250))
    assert (effect["amount"], effect["points"]) == (cny(500).to_wire(), pts(100).to_wire())
    assert AuditEntry.objects.get(act="redemption.cancelled").reason == "mistake"
    redemption.refresh_from_db()
    with pytest.raises(RedemptionCancelled):
        rewards.take_back(redemption=redemption, by=Actor("staff", "0"), reason="again")


def test_of_two_that_were_proposed_one_is_done(ada):
    redemption = redeem(ada, five_yuan())
    maker, second = Actor("staff", "999999"), Actor.of(superuser("second@example.com"))
    one, two = (rewards.take_back(redemption=redemption, by=maker, reason="mistake") for _ in range(2))
    approvals.approve(approval=one, by=second, shown=one.shown)

    with pytest.raises(RedemptionCancelled):
        approvals.approve(approval=two, by=second, shown=two.shown)
    assert (holds(purse_of(ada)), left(ada)) == (cny(0), pts(250))


@pytest.mark.parametrize("name", ["pending", "debt", "qualifying"])
def test_points_that_are_told_elsewhere_are_not_moved_by_hand(ada, name):
    account = getattr(points.of(ada), name)
    house = ledger.house("suspense", account.unit)

    with pytest.raises(manual.AccountKept):
        manual.post_manual(
            amount=Money(1, account.unit), source=house, target=account, reference="r", by=SYSTEM, reason="x"
        )


def test_where_it_was_spent_it_is_not_taken_back(ada):
    spent = redeem(ada, five_yuan())
    emptied(ada)

    with pytest.raises(InsufficientFunds):
        rewards.take_back(redemption=spent, by=Actor("staff", "0"), reason="mistake")
    assert left(ada) == pts(150)


def test_what_was_no_money_takes_one_and_nothing_comes_back_to_who_has_left(ada):
    mug, other = redeem(ada, goods()), redeem(ada, goods(), "r2")
    with pytest.raises(NoMoneyToTakeBack):
        rewards.take_back(redemption=mug, by=Actor("staff", "0"), reason="mistake")
    rewards.cancel(redemption=mug, by=Actor("staff", "0"), reason="mistake")

    wallets.open(member=ada, currency="CNY", by=SYSTEM)
    leaving.leave(member=ada, by=Actor.of(ada.user), reason="done", forfeit_points=True)
    with pytest.raises(MemberClosed):
        rewards.cancel(redemption=other, by=Actor("staff", "0"), reason="mistake")
    assert left(ada) == pts(0)
