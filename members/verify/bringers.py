"""Who brought whom, against the audit trail."""

from collections.abc import Iterator
from typing import Any

from members.models import Member, Referral
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check


@check("members.referrer_is_told", "Each member was brought by whom the audit trail tells of, and by nobody else.")
def referrer_is_told(run: Run) -> Iterator[Fault]:
    del run
    label = f"{Member._meta.label_lower}:"
    there = {f"{label}{member}": by for member, by in Referral.objects.values_list("member", "referrer").iterator()}
    told: Iterator[Any] = AuditEntry.objects.filter(act="member.referred").values_list("subject", "after").iterator()
    brought = {subject: after["referrer"] for subject, after in told}
    for subject in sorted(there.keys() | brought.keys()):
        now, then = there.get(subject), brought.get(subject)
        if now != then:
            member = subject.removeprefix(label)
            yield f"referral {member}", f"by member {now or 'nobody'}, by the audit trail {then or 'nobody'}"
