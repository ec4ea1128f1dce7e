"""Rewards: taking one for points, and cancelling that."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid5

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member, Redemption, Reward
from members.services import coupons, members, points, tiers
from members.services.catalogue import RIGHT
from members.services.coupons import use as use_coupon
from members.services.references import check_reference
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit
from paymentsite.ledger import services as ledger

__all__ = ["cancel", "redeem", "take_back", "use_coupon"]

Kind, State = Reward.Kind, Redemption.State

SCOPE: Final = "members.reward"
KIND: Final = "reward"
KIND_CANCELLED: Final = "reward_cancelled"
_REASON_MAX: Final = 255


class RewardNotOffered(Refused):
    code = "reward_not_offered"
    sentence = gettext_noop("“{reward}” is not on offer now.")


class RewardGone(Refused):
    code = "reward_gone"
    sentence = gettext_noop("None of “{reward}” is left.")


class TierTooLow(Refused):
    code = "reward_tier_too_low"
    sentence = gettext_noop("“{reward}” is for {tier} and above.")


class CreditNeedsWallet(Invalid):
    code = "reward_needs_wallet"
    sentence = gettext_noop("“{reward}” is money: it is taken into a wallet.")


class CreditDiffers(Invalid):
    code = "reward_credit_differs"
    sentence = gettext_noop("What is to be moved is not what “{reward}” is worth.")


class RedemptionDiffers(Conflict):
    code = "redemption_differs"
    sentence = gettext_noop("That reference was used before, for “{reward}”.")


class CancelTakesTwo(Refused):
    code = "redemption_cancel_takes_two"
    sentence = gettext_noop(
        "This reward was money: taking it out of a wallet again is proposed, for somebody else to approve."
    )


class NoMoneyToTakeBack(Refused):
    code = "redemption_was_no_money"
    sentence = gettext_noop("This reward was no money; cancel it.")


class RedemptionCancelled(Refused):
    code = "redemption_cancelled"
    sentence = gettext_noop("This was cancelled already.")


class CancelReasonMissing(Invalid):
    code = "redemption_reason_missing"
    sentence = gettext_noop("Say why, in 1 to 255 characters.")


@act
def redeem(
    *, member: Member, reward: Reward, reference: str, by: Actor, entries: Sequence[ledger.Entry] = ()
) -> Redemption:
    """The member has the reward and paid its points, or neither. Repeating a reference returns the first redemption.

    ``entries`` go into the same journal: whoever can take money into a wallet gives those that move the credit, and
    nothing but the credit to the member. A coupon's code is the redemption's: ``redemption.coupon.code``.
    """
    check_reference(reference)
    member = Member.objects.lock(member.pk)
    first = Redemption.objects.filter(member=member, reference=reference).select_related("reward").first()
    if first is not None:
        return _same(first, reward)
    members.check_active(member)
    now = clock.now()
    reward = Reward.objects.select_related("tier").get(pk=reward.pk)
    _check(reward, member, now, entries)

    # Named after the reference, so that the ledger knows a repeated act, refusals too.
    public_id = uuid5(member.public_id, f"redemption {reference}")
    posted = ledger.post(
        *points.spent(member=member, points=reward.price),
        *entries,
        kind=KIND,
        scope=SCOPE,
        reference=f"{member.pk}:{reference}",
        source=f"redemption:{public_id}",
        by=by,
    )
    # The one row that members share is taken last, so that they queue for it as short as can be.
    _take(reward)
    redemption = Redemption.objects.create(
        public_id=public_id,
        member=member,
        reward=reward,
        reference=reference,
        points=reward.points,
        journal_id=posted.journal_id,
        at=now,
    )
    if reward.kind == Kind.COUPON:
        coupons.made(redemption, now=now)
    return redemption


@act
def cancel(*, redemption: Redemption, by: Actor, reason: str) -> Redemption:
    """The points are back in the lots they came from, the reward is in stock again. Repeated, it changes nothing.

    Refused to the member themself, for a coupon that was used, for what was money (``take_back``), for who has left,
    and while the ledger cannot take the journal back.
    """
    check_not_own(by, redemption.member_id)
    if redemption.reward.kind == Kind.WALLET_CREDIT:
        raise CancelTakesTwo
    return _cancelled(redemption, by, reason)


@approvals.required(
    "members.take_back_reward",
    right=RIGHT,
    concerns=("redemption.member_id",),
    title=_("Take back a reward that was money"),
    lines={
        "reward": Line(_("reward")),
        "member": Line(_("member")),
        "amount": Line(_("comes out of the wallet")),
        "points": Line(_("points come back")),
    },
)
def take_back(*, redemption: Redemption, by: Actor, reason: str) -> Effect:
    """The same where the reward was money: that is out of the member's wallet again."""
    if redemption.reward.kind != Kind.WALLET_CREDIT:
        raise NoMoneyToTakeBack
    # Of two that were proposed and are approved at once, the second says that nothing was left to do.
    Member.objects.lock(redemption.member_id)
    redemption.refresh_from_db(fields=["state"])
    if redemption.state == State.CANCELLED:
        raise RedemptionCancelled
    done = _cancelled(redemption, by, reason)
    return {
        "reward": done.reward,
        "member": done.member,
        "amount": done.reward.credit,
        "points": Money(done.points, "PTS"),
    }


def _cancelled(redemption: Redemption, by: Actor, reason: str) -> Redemption:
    if not 1 <= len(reason := clear(reason).strip()) <= _REASON_MAX:
        raise CancelReasonMissing
    if Member.objects.lock(redemption.member_id).state == Member.State.CLOSED:
        raise members.MemberClosed
    redemption = Redemption.objects.select_related("reward", "journal", "coupon").get(pk=redemption.pk)
    if redemption.state == State.CANCELLED:
        return redemption
    now = clock.now()
    if redemption.reward.kind == Kind.COUPON:
        coupons.cancel(redemption.coupon, now=now)

    posted = ledger.reverse(
        journal=redemption.journal,
        reference=f"cancel:{redemption.public_id}",
        scope=SCOPE,
        kind=KIND_CANCELLED,
        source=f"redemption:{redemption.public_id}",
        by=by,
        must=True,
    )
    _give_back(redemption.reward)
    done = Redemption.objects.filter(pk=redemption.pk, state=State.DONE)
    done.update(
        state=State.CANCELLED,
        cancelled_at=now,
        cancelled_by=str(by),
        cancel_reason=reason,
        cancel_journal_id=posted.journal_id,
    )
    redemption.refresh_from_db()
    audit.record(
        by=by, act="redemption.cancelled", subject=redemption, before=State.DONE, after=State.CANCELLED, reason=reason
    )
    return redemption


def _same(first: Redemption, reward: Reward) -> Redemption:
    if first.reward_id != reward.pk:
        raise RedemptionDiffers(reward=str(first.reward))
    return first


def _check(reward: Reward, member: Member, now: datetime, entries: Sequence[ledger.Entry]) -> None:
    if not Reward.objects.offered(now).filter(pk=reward.pk).exists():
        raise RewardNotOffered(reward=str(reward))
    if reward.tier and tiers.of(member, now).rank < reward.tier.rank:
        raise TierTooLow(reward=str(reward), tier=str(reward.tier))
    if reward.kind == Kind.WALLET_CREDIT and not entries:
        raise CreditNeedsWallet(reward=str(reward))
    _check_credit(reward, member, entries)
    if reward.stock_left == 0:
        raise RewardGone(reward=str(reward))


def _check_credit(reward: Reward, member: Member, entries: Sequence[ledger.Entry]) -> None:
    """Raise unless ``entries`` bring the member what the reward is worth where it is money, and otherwise move nothing.

    Of moves alone it can be said beforehand what they bring to whom.
    """
    due = {reward.currency: reward.credit_minor} if reward.kind == Kind.WALLET_CREDIT else {}
    brought: Counter[str] = Counter()
    for entry in entries:
        if not due or not isinstance(entry, ledger.Move):
            raise CreditDiffers(reward=str(reward))
        into, out = (account.owner == member.owner for account in (entry.target, entry.source))
        brought[entry.amount.unit] += entry.amount.minor * (into - out)
    if {unit: minor for unit, minor in brought.items() if minor} != due:
        raise CreditDiffers(reward=str(reward))


def _take(reward: Reward) -> None:
    """One of the stock is gone; the conditional UPDATE decides who gets the last one."""
    if reward.stock is None:
        return
    if not Reward.objects.filter(pk=reward.pk, stock_left__gt=0).update(stock_left=F("stock_left") - 1):
        raise RewardGone(reward=str(reward))


def _give_back(reward: Reward) -> None:
    Reward.objects.filter(pk=reward.pk, stock_left__isnull=False).update(stock_left=F("stock_left") + 1)
