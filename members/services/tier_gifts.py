"""Tiers given by hand: proposed by one person, given when another one approves."""

from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member, MemberTier, Tier, TierProgramme
from members.queries import floors
from members.services import members, standings
from members.tier_rules import Reason
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Invalid, Refused, as_moment
from paymentsite.core.services import approvals, audit

NOTE_MAX: Final = 255


class GiftEndsBeforeItBegins(Invalid, until=as_moment):
    code = "tier_gift_over"
    sentence = gettext_noop("A tier is given until a moment to come, and {until} is past.")


class GiftTooLow(Refused):
    code = "tier_gift_too_low"
    sentence = gettext_noop("The member is {tier} already, which is higher.")


class BoughtLastsLonger(Refused, until=as_moment):
    code = "tier_bought_lasts_longer"
    sentence = gettext_noop("The member bought {tier} until {until}: what is given must not take that away.")


@approvals.required(
    "members.give_tier",
    right="members.approve_member_tier",
    concerns=("member",),
    title=_("Give a member a tier"),
    lines={
        "member": Line(_("member")),
        "tier": Line(_("tier")),
        "before": Line(_("instead of")),
        "until": Line(_("until"), as_moment),
    },
)
def give(*, member: Member, tier: Tier, until: datetime, by: Actor, reason: str) -> Effect:
    """The member has ``tier`` at least until ``until``, whatever they earn; an earlier gift ends with it.

    Refused where they have a higher one by their own doing, or bought what would be shortened.
    """
    now = clock.now()
    if until <= now:
        raise GiftEndsBeforeItBegins(until=until)
    member = Member.objects.lock(member.pk)
    members.check_active(member)
    row = standings.settle(member=member, now=now)
    before = row.tier
    _check_bought(member, tier, until, now)
    own = _own(row, member, now)
    if own.rank > tier.rank:
        raise GiftTooLow(tier=str(own))

    keep(row, tier, until=until, why=Reason.GIVEN, by=by, now=now, note=clear(reason)[:NOTE_MAX])
    audit.record(
        by=by,
        act="member.tier_given",
        subject=member,
        before=before.code,
        after={"tier": tier.code, "until": until},
        reason=reason,
    )
    return {"member": member, "tier": tier, "before": before, "until": until}


def keep(row: MemberTier, tier: Tier, *, until: datetime, why: Reason, by: Actor, now: datetime, **facts: Any) -> None:
    """The member of ``row`` has ``tier`` from now on and does not fall below it before ``until``."""
    row.kept, row.kept_until, row.kept_by, row.grace_until = tier, until, why, None
    standings.change(row, tier, reason=why, by=by, now=now, before=row.tier, until=until, **facts)
    standings.write(row, TierProgramme.current(), now)


def _check_bought(member: Member, tier: Tier, until: datetime, now: datetime) -> None:
    for each in floors.bought(member, now):
        if tier.rank < each.after.rank or (each.until and until < each.until):
            raise BoughtLastsLonger(tier=str(each.after), until=each.until)


def _own(row: MemberTier, member: Member, now: datetime) -> Tier:
    """What the member has without what was given to them."""
    lent = row.kept is not None and row.tier.rank <= row.kept.rank
    return standings.earned(member, now) if lent else row.tier
