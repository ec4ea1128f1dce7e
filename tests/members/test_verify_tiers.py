"""Whatever is done to tiers, rewards and coupons behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from members.models import Coupon, Member, MemberTier, Progress, Redemption, Reward, Tier, TierChange
from members.services import rewards, tier_gifts, tiers, upgrades
from members.services.points import accounts
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import AuditEntry
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from tests.factories import cny, pts
from tests.made_once import MadeOnce
from tests.members.catalogue import approved, code_of, coupon_reward, goods, staff
from tests.members.factories import member
from tests.members.tiering import earn, fund_points, levels, points_account

pytestmark = pytest.mark.django_db

OURS = (
    "members.tier_is_its_changes",
    "members.tier_is_earned",
    "members.progress_taken_back",
    "members.progress_is_qualifying",
    "members.tier_bought_once",
    "members.tier_gifts_told",
    "members.stock_adds_up",
    "members.redemption_is_paid",
    "members.redemption_cancelled_once",
    "members.coupon_is_its_redemption",
    "members.coupon_used_once",
)


@dataclass
class Story:
    """Members of whom everything is there that can be: earned, taken back, given, bought, redeemed, cancelled, used."""

    ada: Member
    bo: Member
    gifted: Member
    idle: Member
    reward: Reward
    mug: Redemption
    cancelled: Redemption
    used: Coupon
    open: Coupon


def make_story() -> Story:
    made, now = levels(grace_days=30), clock.now()
    ada, bo, gifted, idle = member(), member(), member(), member()
    earn(ada, 6_000, now - timedelta(days=20), source="payment:1")
    tiers.progress_undone(source="payment:1", cause="refund:1", qualifying=500, spend=cny(0), now=now)
    book_qualifying(ada, 5_500)
    fund_points(bo, 5_000)
    upgrades.buy(member=bo, tier=made["silver"], reference="up", by=SYSTEM)
    gift = tier_gifts.give(
        member=gifted, tier=made["gold"], until=now + timedelta(days=9), by=staff("maker"), reason="goodwill"
    )
    approved(gift, staff("checker", "approve_member_tier"))
    reward, coupon = goods(stock=5), coupon_reward()

    def redeem(wanted: Reward, reference: str) -> Redemption:
        return rewards.redeem(member=bo, reward=wanted, reference=reference, by=SYSTEM)

    cancelled = rewards.cancel(redemption=redeem(reward, "2"), by=SYSTEM, reason="mistake")
    used = redeem(coupon, "3")
    rewards.use_coupon(code=code_of(used), by=SYSTEM, source="payment:9")
    return Story(
        ada,
        bo,
        gifted,
        idle,
        reward,
        redeem(reward, "1"),
        cancelled,
        Coupon.objects.get(redemption=used),
        redeem(coupon, "4").coupon,
    )


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> Story:
    return made_once(make_story)


@pytest.fixture
def story(made: Story, db: None) -> Story:
    return deepcopy(made)


def book_qualifying(who: Member, points: int) -> None:
    """What a payment's journal puts on the account beside the progress."""
    account = accounts.of(who).qualifying
    ledger.post(ledger.Move(accounts.qpt(points), accounts.standard(), account), reference=f"q{who.pk}", scope="test")


def stray(kind: str, *entries: ledger.Entry) -> Journal:
    """A journal without the row that it should have."""
    posted = ledger.post(*entries, reference="stray", scope="test", kind=kind)
    return Journal.objects.get(pk=posted.journal_id)


def spend(story: Story) -> ledger.Move:
    return ledger.Move(pts(10), points_account(story.bo), ledger.house("rewards", "PTS"))


def of(member: Member) -> str:
    return f"member {member.pk}"


def lower_tier(story: Story) -> str:
    MemberTier.objects.filter(pk=story.ada.pk).update(tier=levels_of("silver"))
    return of(story.ada)


def levels_of(code: str) -> int:
    return Tier.objects.get(code=code).pk


def changes_forged(story: Story) -> str:
    change = TierChange.objects.filter(member=story.ada).order_by("pk").last()
    TierChange.objects.filter(pk=change.pk).update(before=levels_of("platinum"))
    return of(story.ada)


def change_deleted(story: Story) -> str:
    TierChange.objects.filter(member=story.gifted).order_by("pk").last().delete()
    return of(story.gifted)


def gift_prolonged(story: Story) -> str:
    MemberTier.objects.filter(pk=story.gifted.pk).update(kept_until=clock.now() + timedelta(days=900))
    return of(story.gifted)


def gift_forgotten(story: Story) -> str:
    MemberTier.objects.filter(pk=story.gifted.pk).update(kept=None, kept_until=None, kept_by="")
    return of(story.gifted)


def raised(story: Story) -> str:
    MemberTier.objects.filter(pk=story.ada.pk).update(tier=levels_of("platinum"))
    TierChange.objects.create(
        public_id=uuid4(),
        member=story.ada,
        before_id=levels_of("gold"),
        after_id=levels_of("platinum"),
        reason="earned",
        actor="system:x",
        at=clock.now(),
    )
    return of(story.ada)


def progress_edited(story: Story) -> str:
    Progress.objects.filter(source="payment:1", cause="").update(qualifying=900)
    return of(story.ada)


def progress_invented(story: Story) -> str:
    now = clock.now()
    Progress.objects.create(
        member=story.idle, source="x", qualifying=9, spend_minor=0, currency="CNY", at=now, recorded_at=now
    )
    return of(story.idle)


def booked_alone(story: Story) -> str:
    book_qualifying(story.idle, 3)
    return story.idle.owner


def taken_back_too_much(story: Story) -> str:
    Progress.objects.filter(cause="refund:1").update(qualifying=-6_001)
    return "payment:1"


def taken_from_another(story: Story) -> str:
    Progress.objects.filter(cause="refund:1").update(member=story.bo)
    return "payment:1"


def progress_edited_on_account(story: Story) -> str:
    progress_edited(story)
    return story.ada.owner


def progress_on_no_account(story: Story) -> str:
    progress_invented(story)
    return story.idle.owner


def price_edited(story: Story) -> str:
    change = TierChange.objects.get(reason="bought")
    TierChange.objects.filter(pk=change.pk).update(points=1)
    return f"change {change.pk}"


def bought_with_another_journal(story: Story) -> str:
    change = TierChange.objects.get(reason="bought")
    journal = stray("test", ledger.Move(pts(100), points_account(story.bo), ledger.house("rewards", "PTS")))
    TierChange.objects.filter(pk=change.pk).update(journal=journal)
    return f"change {change.pk}"


def bought_nothing(story: Story) -> str:
    return f"journal {stray('tier_upgrade', spend(story)).pk}"


def gift_of(story: Story) -> TierChange:
    return TierChange.objects.get(member=story.gifted, reason="given")


def gift_made_higher(story: Story) -> str:
    TierChange.objects.filter(reason="given").update(after=levels_of("platinum"))
    return f"change {gift_of(story).pk}"


def gift_made_longer(story: Story) -> str:
    TierChange.objects.filter(reason="given").update(until=clock.now() + timedelta(days=900))
    return f"change {gift_of(story).pk}"


def gift_by_somebody_else(story: Story) -> str:
    TierChange.objects.filter(reason="given").update(actor="staff:1234567")
    return f"change {gift_of(story).pk}"


def gift_in_secret(story: Story) -> str:
    change = gift_of(story)
    change.pk, change.public_id = None, uuid4()
    change.save(force_insert=True)
    return f"change {change.pk}"


def gift_on_the_trail_alone(story: Story) -> str:
    gift_of(story).delete()
    return of(story.gifted)


def stock_raised(story: Story) -> str:
    Reward.objects.filter(pk=story.reward.pk).update(stock_left=5)
    return f"reward {story.reward.pk}"


def points_edited(story: Story) -> str:
    Redemption.objects.filter(pk=story.mug.pk).update(points=99)
    return f"redemption {story.mug.pk}"


def journal_swapped(story: Story) -> str:
    Redemption.objects.filter(pk=story.mug.pk).update(journal=stray("test", spend(story)))
    return f"redemption {story.mug.pk}"


def redeemed_nothing(story: Story) -> str:
    return f"journal {stray('reward', spend(story)).pk}"


def cancelled_for_nothing(story: Story) -> str:
    Redemption.objects.filter(pk=story.cancelled.pk).update(cancel_journal=stray("test", spend(story)))
    return f"redemption {story.cancelled.pk}"


def given_back_in_secret(story: Story) -> str:
    return f"journal {stray('reward_cancelled', spend(story)).pk}"


def uncancelled(story: Story) -> str:
    journal = story.cancelled.cancel_journal_id
    Redemption.objects.filter(pk=story.cancelled.pk).update(
        state="done", cancelled_at=None, cancelled_by="", cancel_journal=None
    )
    return f"journal {journal}"


def coupon_gone(story: Story) -> str:
    redemption = story.open.redemption_id
    story.open.delete()
    return f"redemption {redemption}"


def coupon_worth_more(story: Story) -> str:
    Coupon.objects.filter(pk=story.open.pk).update(discount_bp=10_000)
    return f"coupon {story.open.pk}"


def coupon_cancelled_alone(story: Story) -> str:
    Coupon.objects.filter(pk=story.open.pk).update(state="cancelled", ended_at=clock.now())
    return f"coupon {story.open.pk}"


def coupon_used_late(story: Story) -> str:
    Coupon.objects.filter(pk=story.used.pk).update(used_at=story.used.expires_at)
    return f"coupon {story.used.pk}"


def coupon_opened_again(story: Story) -> str:
    Coupon.objects.filter(pk=story.used.pk).update(state="open", used_at=None, used_by="", used_for="")
    return f"members.coupon:{story.used.pk}"


def coupon_used_again(story: Story) -> str:
    coupon_opened_again(story)
    rewards.use_coupon(code=story.used.code.decrypt(), by=SYSTEM, source="payment:10")
    return f"members.coupon:{story.used.pk}"


def coupon_used_in_secret(story: Story) -> str:
    AuditEntry.objects.filter(act="coupon.used").update(act="coupon.seen")
    return f"members.coupon:{story.used.pk}"


CORRUPTIONS: dict[str, tuple[Callable[[Story], str], ...]] = {
    "members.tier_is_its_changes": (lower_tier, changes_forged, change_deleted, gift_prolonged, gift_forgotten),
    "members.tier_is_earned": (lower_tier, raised, progress_edited, progress_invented),
    "members.progress_taken_back": (taken_back_too_much, taken_from_another),
    "members.progress_is_qualifying": (booked_alone, progress_edited_on_account, progress_on_no_account),
    "members.tier_bought_once": (price_edited, bought_with_another_journal, bought_nothing),
    "members.tier_gifts_told": (
        gift_made_higher,
        gift_made_longer,
        gift_by_somebody_else,
        gift_in_secret,
        gift_on_the_trail_alone,
    ),
    "members.stock_adds_up": (stock_raised,),
    "members.redemption_is_paid": (points_edited, journal_swapped, redeemed_nothing),
    "members.redemption_cancelled_once": (cancelled_for_nothing, given_back_in_secret, uncancelled),
    "members.coupon_is_its_redemption": (coupon_gone, coupon_worth_more, coupon_cancelled_alone, coupon_used_late),
    "members.coupon_used_once": (coupon_opened_again, coupon_used_again, coupon_used_in_secret),
}


def test_every_check_has_a_corruption():
    assert set(OURS) == set(CORRUPTIONS)


def test_story_is_clean(story):
    report = verification.discover().run(only=sorted(OURS))

    assert report.findings == []
    assert (report.seen["tiers bought"], report.seen["redemptions"], report.seen["coupons used"]) == (1, 4, 1)


@pytest.mark.parametrize(("check", "corrupt"), [(check, each) for check, acts in CORRUPTIONS.items() for each in acts])
def test_corruption_is_found_and_named(story, unprotected, check, corrupt):
    # On SQLite the triggers are dropped by statements that a transaction takes back.
    with transaction.atomic():
        with unprotected():
            subject = corrupt(story)
        report = verification.discover().run(only=[check])
        transaction.set_rollback(True)

    assert subject in {finding.subject for finding in report.findings}
