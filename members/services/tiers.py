"""Tiers: which level a member has, and what earning and time make of it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db.models import QuerySet

from members.models import Member, MemberTier, Progress, Tier, TierProgramme
from members.queries import progress as earnings
from members.services import standings, turns
from paymentsite.core import clock
from paymentsite.core.acts import act
from paymentsite.core.money import Money

STUCK: Final = "tier_stuck"
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far it is to the next tier (None above the last), and how long the present one lasts if nothing is earned.

    ``keeps_until`` is None for what time alone does not take away. ``need`` is the next tier's threshold.
    """

    tier: Tier
    have: int
    need: int | None
    next_tier: Tier | None
    keeps_until: datetime | None
    falls_to: Tier | None

    @property
    def missing(self) -> int:
        return max(0, (self.need or 0) - self.have)


def of(member: Member, now: datetime) -> Tier:
    """The member's tier at ``now``: what fees, limits, margins and points go by. What was given ends to the moment."""
    row = MemberTier.objects.filter(member=member).select_related("tier", "kept").first()
    if row is None:
        return base()
    if row.kept and row.kept_until and row.kept_until <= now and row.tier.rank <= row.kept.rank:
        return min(row.tier, standings.left(member, now), key=lambda tier: tier.rank)
    return row.tier


def base() -> Tier:
    """Everybody's who has no other: the one of the lowest rank, made without benefits where no operator made any."""
    return standings.ladder()[0]


def progress(*, member: Member, source: str, qualifying: int, spend: Money, now: datetime) -> Progress:
    """``source`` earned the member this much; their tier is what follows from it at once.

    The member is locked by the caller. Once per source, whatever is said when it is repeated. Spend counts towards
    tiers in the programme's currency alone: ``TierProgramme.current().currency`` says in which to give it.
    """
    if first := Progress.objects.filter(source=source, cause="").first():
        return first
    standings.catch_up(member=member, now=now)
    row = Progress.objects.create(
        member=member,
        source=source,
        qualifying=qualifying,
        spend_minor=spend.minor,
        currency=spend.unit,
        at=now,
        recorded_at=now,
    )
    evaluate(member=member, now=now)
    return row


def progress_undone(*, source: str, cause: str, qualifying: int, spend: Money, now: datetime) -> Progress | None:
    """``cause`` takes back this much of what ``source`` earned, once per cause; the tier follows at once.

    The member is locked by the caller. None where the source earned nothing. Taking more than was earned is a bug.
    """
    earned = Progress.objects.filter(source=source, cause="").select_related("member").first()
    if earned is None:
        return None
    if first := Progress.objects.filter(source=source, cause=cause).first():
        return first
    left = earnings.left_of(source)
    if not (0 <= qualifying <= left.qualifying and 0 <= spend.minor <= left.spend_minor):
        raise ValueError(f"{cause} takes back more than is left of what {source} earned")
    standings.catch_up(member=earned.member, now=now)
    row = Progress.objects.create(
        member=earned.member,
        source=source,
        cause=cause,
        qualifying=-qualifying,
        spend_minor=-spend.minor,
        currency=earned.currency,
        at=earned.at,
        recorded_at=now,
    )
    evaluate(member=earned.member, now=now)
    return row


def evaluate(*, member: Member, now: datetime) -> Tier:
    """The member's tier is what their progress, the programme and the time make it; every change is a row.

    The member is locked by the caller. Repeated, it changes nothing.
    """
    return standings.settle(member=member, now=now).tier


def evaluate_due(*, now: datetime) -> int:
    """Look again at those whose tier time alone may have changed; how many. Who is not due costs nothing.

    Each member is a transaction of their own. Safe twice, late and at once.
    """
    return _evaluate_each(MemberTier.objects.due(now), now)


def evaluate_stale(*, now: datetime) -> int:
    """Look again at all whom a change of the programme or of a tier concerns; how many."""
    return _evaluate_each(MemberTier.objects.stale(TierProgramme.current().version), now)


def _evaluate_each(candidates: QuerySet[MemberTier], now: datetime) -> int:
    """One member's failure keeps no other waiting; a person looks at it until their tier is worked out."""
    count = last = 0
    why = "What tier they are of could not be worked out"
    while some := list(candidates.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        for pk in some:
            tier = turns.take(partial(_evaluate_one, pk, now), subject=Member(pk=pk), stuck=STUCK, why=why)
            count += tier is not None
        last = some[-1]
    if last:
        settle_stuck(now=now)
    return count


def settle_stuck(*, now: datetime) -> None:
    """Whose tier could not be worked out, and is meanwhile, by a purchase say, is before nobody any more."""
    late = MemberTier.objects.due(now) | MemberTier.objects.stale(TierProgramme.current().version)
    turns.settle(stuck=STUCK, due=late)


@act
def _evaluate_one(pk: int, now: datetime) -> Tier:
    return evaluate(member=Member.objects.lock(pk), now=now)


def progress_of(member: Member, now: datetime) -> Outlook:
    """Where the member stands at ``now`` and what comes next."""
    programme, tiers, held = TierProgramme.current(), standings.ladder(), of(member, now)
    have = earnings.within(member, programme, now)
    above = next((tier for tier in tiers if tier.rank > held.rank), None)
    row = MemberTier.objects.filter(member=member).select_related("tier", "kept").first()
    keeps = standings.lasts_until(row, programme, now) if row else None
    return Outlook(
        tier=held,
        have=have,
        need=above.threshold if above else None,
        next_tier=above,
        keeps_until=keeps,
        falls_to=standings.falls_to(member, programme, held, keeps) if keeps and keeps < clock.LAST else None,
    )
