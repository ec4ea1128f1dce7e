"""Who wants no requests from whom, against the audit trail."""

from collections.abc import Iterator
from typing import Any

from members.models import Member
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from wallets.models import RequestBlock


@check(
    "wallets.request_blocks_are_told",
    "Who wants no requests from whom is who said so last, by the audit trail.",
)
def request_blocks_are_told(run: Run) -> Iterator[Fault]:
    label = f"{Member._meta.label_lower}:"
    blocked: set[tuple[str, int]] = set()
    entries = AuditEntry.objects.filter(act__in=["requests.blocked", "requests.unblocked"]).order_by("pk")
    told: Iterator[Any] = entries.values_list("act", "subject", "after").iterator()
    for act, subject, after in told:
        if act == "requests.blocked":
            blocked.add((subject, after["blocked"]))
        else:
            blocked.discard((subject, after["unblocked"]))
    there = {(f"{label}{member}", other) for member, other in RequestBlock.objects.values_list("member", "blocked")}
    run.seen["blocks of requests"] = len(there)
    for subject, other in sorted(there ^ blocked):
        member = subject.removeprefix(label)
        if (subject, other) in there:
            yield f"member {member}", f"blocks member {other}, and the audit trail does not tell of it"
        else:
            yield f"member {member}", f"blocked member {other}, by the audit trail, and does so no more"
