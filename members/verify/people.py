"""Members against what was told of them."""

from collections.abc import Iterator

from django.db.models import F, OuterRef, Q, Subquery

from members.models import Member, MemberEvent
from paymentsite.core.verification import Fault, Run, check


@check(
    "members.state_is_last_event", "Each member is in the state that the last change gave them, and has joined once."
)
def state_is_last_event(run: Run) -> Iterator[Fault]:
    events = MemberEvent.objects.filter(member=OuterRef("pk"))
    told = Member.objects.annotate(
        last=Subquery(events.order_by("-pk").values("state")[:1]),
        first=Subquery(events.order_by("pk").values("kind")[:1]),
    )
    run.seen["members"] = told.count()
    wrong = told.filter(Q(last=None) | ~Q(last=F("state"))).order_by("pk")
    for pk, now, last in wrong.values_list("pk", "state", "last"):
        yield f"member {pk}", f"is {now}, by the last change {last or 'nothing'}"
    unjoined = told.exclude(first=MemberEvent.Kind.JOINED).exclude(first=None).order_by("pk")
    for pk, first in unjoined.values_list("pk", "first"):
        yield f"member {pk}", f"the first that is told of them is {first}"
