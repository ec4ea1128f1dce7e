"""Referrals: who brought whom, and the one reward for it."""

from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import F, Min
from django.utils.translation import gettext_noop

from members.models import Earning, EarnRule, Member, Purchase, Referral
from members.services import tiers, turns
from members.services.points import accounts, earning
from members.services.points.maturing import SCOPE
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Refused
from paymentsite.core.services import audit
from paymentsite.core.waiting import First
from paymentsite.ledger import services as ledger

STUCK: Final = "referral_stuck"


class OwnReferral(Refused):
    code = "referral_of_oneself"
    sentence = gettext_noop("Nobody brings themselves.")


class NotNew(Refused):
    code = "referral_not_new"
    sentence = gettext_noop("Only who joined later, and has not bought anything yet, can be brought by somebody.")


class ReferredAlready(Conflict):
    code = "referred_already"
    sentence = gettext_noop("They were brought by somebody else.")


@act
def refer(*, member: Member, referrer: Member, now: datetime) -> Referral:
    """``referrer`` brought ``member``. Said again it is the same referral; of a second referrer it is refused."""
    if member.pk == referrer.pk:
        raise OwnReferral
    member = Member.objects.lock(member.pk)
    if first := Referral.objects.filter(member=member).first():
        if first.referrer_id != referrer.pk:
            raise ReferredAlready
        return first
    # Whoever brings was here before, so that no two bring each other.
    if referrer.joined_at >= member.joined_at or member.purchases.exists():
        raise NotNew
    audit.record(by=SYSTEM, act="member.referred", subject=member, after={"referrer": referrer.pk})
    return Referral.objects.create(member=member, referrer=referrer, at=now)


def reward_due(*, now: datetime) -> int:
    """Give each referrer whose new member bought for good what the rules then promised, once each; how many.

    Where no rule of that moment promised anything, or its budget is used, there is nothing to give, then or later.
    Where what they bought is wholly refunded by now, the referral waits for the next purchase that is final.
    One that cannot be given keeps no other waiting, and a person looks at it until it is.
    """
    due = Referral.objects.filter(due_at__lte=now, rewarded_at=None)
    count = sum(_rewarded(pk, now) for pk in list(due.order_by("pk").values_list("pk", flat=True)))
    turns.settle(stuck=STUCK, due=due)
    return count


# The next moment at which a referral is earned.
next_due: Final = First("due_at", partial(Referral.objects.filter, rewarded_at=None))


def _rewarded(pk: int, now: datetime) -> bool:
    why = "What its bringer has earned could not be given"
    return bool(turns.take(partial(_reward, pk, now), subject=Referral(pk=pk), stuck=STUCK, why=why))


@act
def _reward(pk: int, now: datetime) -> bool:
    referrer = Member.objects.lock(Referral.objects.values_list("referrer_id", flat=True).get(pk=pk))
    # Locked: whoever makes a purchase final meanwhile waits, and sees then whether this waits for one.
    due = Referral.objects.select_for_update().filter(pk=pk, rewarded_at=None, due_at__lte=now)
    referral = due.first()
    if referral is None:
        return False
    referral.due_at = _earned_at(referral)
    referral.rewarded_at = now if referral.due_at else None
    referral.save(update_fields=["due_at", "rewarded_at"])
    if referral.due_at is None or referrer.state == Member.State.CLOSED:
        return False

    earnings = _earnings(referral, referrer, now)
    if not earnings:
        return False
    entries = earning.points_entries(earnings, accounts.of(referrer), now)
    Earning.objects.bulk_create(earnings)
    ledger.post(
        *entries,
        kind="referral",
        scope=SCOPE,
        # With the day in it, what a frozen account refused can be given later.
        reference=f"referral {pk} {clock.day_of(now)}",
        source=f"referral:{pk}",
    )
    return True


def _earned_at(referral: Referral) -> datetime | None:
    """When the first of the new member's purchases was final that are not wholly refunded; None when there is none."""
    standing = Purchase.objects.filter(member=referral.member_id, refunded_minor__lt=F("amount_minor"))
    first: datetime | None = standing.aggregate(first=Min("final_at"))["first"]
    return first


def _earnings(referral: Referral, referrer: Member, now: datetime) -> list[Earning]:
    at = referral.due_at or now
    earn_bp = tiers.of(referrer, now).earn_bp
    rules = EarnRule.objects.at(at).filter(kind=EarnRule.Kind.REFERRAL).select_related("budget").order_by("pk")
    offers = [(rule, points) for rule in rules if (points := earning.in_reach(rule, 1, earn_bp))]
    source = f"referral:{referral.pk}"
    made = [
        earning.made(rule, points, earn_bp=earn_bp, source=source, member_id=referrer.pk, at=at)
        for rule, points in earning.chosen(offers)
    ]
    return [each for each in made if each]
