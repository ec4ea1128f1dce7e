"""Since when members are members."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

from members.models import Member
from paymentsite.core.ids import is_of
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check

# Whoever joins has taken the time, and is told of a moment later.
_SLACK: Final = timedelta(minutes=10)


@check(
    "members.joined_as_told",
    "Each member joined when the audit trail tells of it, and when their id says.",
    whole=True,
)
def joined_as_told(run: Run) -> Iterator[Fault]:
    del run
    label = f"{Member._meta.label_lower}:"
    own = AuditEntry.objects.filter(
        act="member.joined", subject=Concat(Value(label), Cast(OuterRef("pk"), CharField()))
    )
    members: Any = Member.objects.annotate(told_at=Subquery(own.order_by("pk").values("at")[:1])).order_by("pk")
    for pk, public_id, joined_at, told_at in members.values_list("pk", "public_id", "joined_at", "told_at").iterator():
        if told_at is None or not joined_at <= told_at <= joined_at + _SLACK:
            yield f"member {pk}", f"joined at {joined_at}, by the audit trail at {told_at or 'no time'}"
        if not is_of(public_id, joined_at):
            yield f"member {pk}", f"joined at {joined_at}, by their id at another moment"
