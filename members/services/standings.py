"""Where a member stands among the tiers: worked out, written down, told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_noop

from members import tier_rules
from members.models import Member, MemberTier, Tier, TierChange, TierProgramme
from members.models.tiers import named
from members.queries import floors
from members.queries import progress as earnings
from members.services import notices
from members.tier_rules import Floor, Reason, Rules, Standing
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import as_day, plain
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import trail

UP: Final = notices.kind("tier_up", gettext_noop("You are {tier} now."), tier=named)
DOWN: Final = notices.kind(
    "tier_down", gettext_noop("You are no longer {before}, but {tier}."), before=named, tier=named
)
GRACE: Final = notices.kind(
    "tier_grace",
    gettext_noop("What you earned is no longer enough for {tier}: it ends on {day}."),
    tier=named,
    day=as_day,
)


def ladder() -> list[Tier]:
    """All tiers, the lowest first; at least one."""
    return list(Tier.objects.order_by("rank")) or [_base()]


@act
def _base() -> Tier:
    tier, made = Tier.objects.get_or_create(code="base", defaults={"name_en": "Base", "name_zh": "普通", "rank": 0})
    if made:
        trail.tell(tier, by=SYSTEM)
    return tier


def reached(tiers: Sequence[Tier], have: int) -> Tier:
    """The highest that ``have`` is enough for."""
    return max((tier for tier in tiers if tier.threshold <= have), key=lambda tier: tier.rank, default=tiers[0])


def earned(member: Member, now: datetime) -> Tier:
    """What the member's own progress gives them at ``now``, whatever they were given or bought."""
    return reached(ladder(), earnings.within(member, TierProgramme.current(), now))


def left(member: Member, now: datetime) -> Tier:
    """What the member has when what they keep has ended by ``now``: what they earned, or what lay beneath."""
    own, beneath = earned(member, now), floors.highest(member, now)
    return max(own, beneath.after, key=lambda tier: tier.rank) if beneath else own


def catch_up(*, member: Member, now: datetime) -> None:
    """Have what a change of the programme did to the member on record before something else happens to them."""
    row = MemberTier.objects.filter(member=member).first()
    if row and row.version < TierProgramme.current().version:
        settle(member=member, now=now)


def settle(*, member: Member, now: datetime) -> MemberTier:
    """The member's row is as it must be at ``now``, one change after the other; see ``tier_rules.step``."""
    programme, tiers = TierProgramme.current(), ladder()
    by_rank = {tier.rank: tier for tier in tiers}
    row = found(member, now, tiers[0], programme)
    have = earnings.within(member, programme, now)
    rules = Rules(list(by_rank), timedelta(days=programme.grace_days), programme.step_down == programme.StepDown.ONE)
    standing = _standing(row)
    counted = {"measure": programme.measure, "window": programme.window, "version": programme.version}
    figures = {"have": plain(Money(have, programme.unit)), **counted}

    beneath = floors.highest(member, now) if row.kept_until and row.kept_until <= now else None
    floor = Floor(beneath.after.rank, beneath.until) if beneath and beneath.until else None

    while True:
        earned_rank = reached(tiers, have).rank
        standing, reason = tier_rules.step(standing, earned=earned_rank, rules=rules, now=now, beneath=floor)
        before, after = row.tier, by_rank[standing.rank]
        named = _named(reason, row, programme)
        if row.grace_until is None and standing.grace_until:
            _tell_grace(member, after, standing.grace_until)
        row.grace_until = standing.grace_until
        ended = reason == Reason.GIVEN_ENDED
        if ended:
            _keep(row, beneath)
        if named is None:
            break
        until = {"until": row.kept_until} if ended else {}
        change(row, after, reason=named, by=SYSTEM, now=now, before=before, figures=figures, **until)

    write(row, programme, now)
    return row


def found(member: Member, now: datetime, lowest: Tier, programme: TierProgramme) -> MemberTier:
    """The member's row, or the one that they will have: of the lowest tier, not written yet."""
    row = MemberTier.objects.filter(member=member).select_related("tier", "kept", "member").first()
    if row is None:
        row = MemberTier(member=member, tier=lowest, since=now, version=programme.version)
        row.save(force_insert=True)
        change(row, lowest, reason=Reason.EARNED, by=SYSTEM, now=now, before=None, figures={})
    return row


def change(
    row: MemberTier, after: Tier, *, reason: Reason, by: Actor, now: datetime, before: Tier | None, **facts: Any
) -> TierChange:
    """``row`` is of tier ``after``, on record and told to the member. The row itself is written by ``write``."""
    facts.setdefault("public_id", uuid7(now))
    written = TierChange.objects.create(
        member=row.member, before=before, after=after, reason=reason, actor=str(by), at=now, **facts
    )
    if before is None or before == after:
        return written
    row.tier, row.since = after, now
    notices.tell(
        member=row.member,
        kind=UP if after.rank > before.rank else DOWN,
        subject=f"tier:{written.public_id}",
        tier=after.names,
        before=before.names,
    )
    return written


def write(row: MemberTier, programme: TierProgramme, now: datetime) -> None:
    """``row`` stands as it is, and is looked at again when time can first change it."""
    row.version = programme.version
    moments = [row.kept_until, row.grace_until]
    if row.grace_until is None and not _standing(row).lent:
        moments.append(earnings.lasts_until(row.member, programme, row.tier.threshold, now))
    row.due_at = min((moment for moment in moments if moment), default=None)
    row.save()


def lasts_until(row: MemberTier, programme: TierProgramme, now: datetime) -> datetime | None:
    """Until when the tier lasts, grace and all, if nothing more is earned; None when time does not take it."""
    enough = earnings.lasts_until(row.member, programme, row.tier.threshold, now)
    has = row.grace_until or (enough + timedelta(days=programme.grace_days) if enough else None)
    if not _standing(row).lent:
        return has
    have = earnings.within(row.member, programme, now)
    if have < row.tier.threshold:
        return row.kept_until
    # Both earned and given: the later of the two.
    return max(has, row.kept_until) if has and row.kept_until else None


def falls_to(member: Member, programme: TierProgramme, held: Tier, at: datetime) -> Tier:
    """The tier below ``held`` that the member has at ``at`` if nothing more is earned."""
    tiers = ladder()
    left = reached(tiers, earnings.within(member, programme, at))
    if beneath := floors.highest(member, at):
        return max(left, beneath.after, key=lambda tier: tier.rank)
    if programme.step_down == programme.StepDown.ONE:
        return max((tier for tier in tiers if tier.rank < held.rank), key=lambda tier: tier.rank, default=left)
    return left


def _keep(row: MemberTier, floor: TierChange | None) -> None:
    """What the member does not fall below from now on is what ``floor`` gave or sold them, or nothing."""
    if floor is None:
        row.kept, row.kept_until, row.kept_by = None, None, ""
    else:
        row.kept, row.kept_until, row.kept_by = floor.after, floor.until, floor.reason


def _standing(row: MemberTier) -> Standing:
    return Standing(row.tier.rank, row.kept.rank if row.kept else None, row.kept_until, row.grace_until)


def _named(reason: Reason | None, row: MemberTier, programme: TierProgramme) -> Reason | None:
    if reason == Reason.GIVEN_ENDED and row.kept_by == Reason.BOUGHT:
        return Reason.BOUGHT_ENDED
    changed = row.version < programme.version
    return Reason.PROGRAMME_CHANGED if changed and reason in {Reason.EARNED, Reason.GRACE_OVER} else reason


def _tell_grace(member: Member, tier: Tier, until: datetime) -> None:
    day = member.local(until).date()
    notices.tell(member=member, kind=GRACE, subject=f"grace:{day}", tier=tier.names, day=day)
