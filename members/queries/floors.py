"""What members do not fall below: what they bought and what they were last given, each as long as it lasts."""

from datetime import datetime

from members.models import Member, TierChange
from members.tier_rules import Reason


def running(member: Member, now: datetime) -> list[TierChange]:
    """What the member bought that still lasts, and the gift that they had last, if it does."""
    given = TierChange.objects.filter(member=member, reason=Reason.GIVEN).select_related("after").last()
    return [*bought(member, now), *([given] if given and given.until and given.until > now else [])]


def bought(member: Member, now: datetime) -> list[TierChange]:
    """What the member bought that still lasts."""
    rows = TierChange.objects.filter(member=member, reason=Reason.BOUGHT, until__gt=now)
    return list(rows.select_related("after"))


def highest(member: Member, now: datetime) -> TierChange | None:
    """The highest of all that runs; of two alike the one that lasts longer."""
    return max(running(member, now), key=lambda change: (change.after.rank, change.until), default=None)
