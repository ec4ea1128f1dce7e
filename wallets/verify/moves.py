"""Where members have lived by their time zones, as the audit trail tells."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from members.models import Member
from paymentsite.core.disclosure import named
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Run


@dataclass
class Moves:
    """A member's time zones before now, and when each other one was told."""

    zones: set[str] = field(default_factory=set)
    moments: list[datetime] = field(default_factory=list)


def moves(run: Run) -> dict[str, Moves]:
    """Of who ever moved, by how the trail calls them; for ``Run.once``."""
    del run
    found: dict[str, Moves] = defaultdict(Moves)
    entries = AuditEntry.objects.filter(act="member.edited", before__has_key="time_zone").order_by("pk")
    told: Iterator[Any] = entries.values_list("subject", "at", "before", "after").iterator()
    for subject, at, before, after in told:
        if before["time_zone"] != after["time_zone"]:
            found[subject].zones |= {before["time_zone"], after["time_zone"]}
            found[subject].moments.append(at)
    return found


def zones(run: Run, member: Member) -> set[ZoneInfo]:
    """Each time zone that the member ever had."""
    earlier = run.once(moves).get(named(member), Moves()).zones
    return {member.zone, *map(ZoneInfo, earlier)}


def moved_at(run: Run, member: Member) -> list[datetime]:
    """When the member moved to another time zone."""
    return run.once(moves).get(named(member), Moves()).moments
