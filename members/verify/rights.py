"""Staff against the audit trail: nobody has rights that nobody gave."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q

from members.models import User
from members.services import rights
from paymentsite.core.disclosure import named
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.verification import Fault, Run, check


@check(
    "members.rights_are_on_record",
    "Whoever is staff or superuser was made so by two people, or by whoever runs the site, and the trail says so.",
)
def rights_are_on_record(run: Run) -> Iterator[Fault]:
    people = {named(user): user for user in User.objects.filter(Q(is_staff=True) | Q(is_superuser=True)).order_by("pk")}
    run.seen["people with rights"] = len(people)
    told = AuditEntry.objects.filter(act__in=rights.ON_RECORD, subject__in=people).order_by("pk")
    last = {entry.subject: entry for entry in told}
    approved = _approved()
    for subject, user in people.items():
        entry = last.get(subject)
        if entry is None:
            yield f"user {user.pk}", "has rights, and nobody gave any by the audit trail"
        elif (now := _flags(rights.held(user))) != (then := _flags(entry.after or {})):
            yield f"user {user.pk}", f"is {now}, by the audit trail {then}"
        elif entry.act == rights.GRANTED and (entry.by, subject, then) not in approved:
            yield f"user {user.pk}", f"was given rights by {entry.by}, which nobody approved"


def _approved() -> set[tuple[str, str, str]]:
    """By whom, to whom, and what they were then, of each grant that a second person approved."""
    grants = Approval.objects.filter(act=rights.GRANT, state=Approval.State.APPROVED)
    rows = ((each, each.arguments["user"]["value"], each.effect["after"]) for each in grants.iterator())
    return {(each.proposed_by, f"{label}:{pk}", _flags(after)) for each, (label, pk), after in rows}


def _flags(held: Mapping[str, Any]) -> str:
    return " and ".join(name for name in ("staff", "superuser") if held.get(name)) or "neither"
