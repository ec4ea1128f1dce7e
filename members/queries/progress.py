"""What members earned towards tiers, read by the index over a member's moments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, QuerySet, Sum, Window
from django.db.models.functions import Coalesce

from members import windows
from members.models import Member, MemberTier, Progress, TierProgramme
from members.windows import Window as Span
from paymentsite.core.waiting import First


def within(member: Member, programme: TierProgramme, now: datetime) -> int:
    """What counts for the member at ``now``, in the programme's measure."""
    found: int = _counted(member, programme, now).aggregate(have=Coalesce(Sum(_column(programme)), 0))["have"]
    return found


def lasts_until(member: Member, programme: TierProgramme, threshold: int, now: datetime) -> datetime | None:
    """When the member, earning nothing more, has less than ``threshold``, which they have now; None for never."""
    if threshold <= 0 or programme.window == Span.EVER:
        return None
    if programme.window == Span.YEAR:
        return windows.end(Span.YEAR, now)
    # Counted back from now: the earning that makes it enough is the one that ends it.
    running = Window(Sum(_column(programme)), order_by=F("at").desc())
    enough = _counted(member, programme, now).annotate(running=running).filter(running__gte=threshold).order_by("-at")
    last = enough.values_list("at", flat=True).first()
    return windows.end(Span.ROLLING, last) if last else None


# When time next changes a member's tier.
next_due: Final = First("due_at", MemberTier.objects.all)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of what a source earned."""

    qualifying: int
    spend_minor: int


def left_of(source: str) -> Left:
    rows = Progress.objects.filter(source=source)
    return Left(
        **rows.aggregate(qualifying=Coalesce(Sum("qualifying"), 0), spend_minor=Coalesce(Sum("spend_minor"), 0))
    )


def _counted(member: Member, programme: TierProgramme, now: datetime) -> QuerySet[Progress]:
    rows = Progress.objects.filter(member=member, at__gte=windows.begin(Span(programme.window), now))
    return rows.filter(currency=programme.currency) if programme.measure == TierProgramme.Measure.SPEND else rows


def _column(programme: TierProgramme) -> str:
    return "spend_minor" if programme.measure == TierProgramme.Measure.SPEND else "qualifying"
