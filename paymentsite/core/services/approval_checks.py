"""What must always be true of approvals: two people, and the thing done is the thing approved."""

from collections.abc import Iterator
from typing import Any, Final

from paymentsite.core.actors import Actor
from paymentsite.core.disclosure import disclosed, named
from paymentsite.core.findings import Finding
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import proposals

CHUNK: Final = 1_000
_CHANGED: Final = "approval.effect_changed"
_TELL_EFFECT: Final = ("approval.proposed", _CHANGED, "approval.approved")
_ON_TRAIL: Final = {
    Approval.State.APPROVED: "approval.approved",
    Approval.State.REFUSED: "approval.refused",
    Approval.State.WITHDRAWN: "approval.withdrawn",
    Approval.State.EXPIRED: "approval.expired",
}


def verify() -> list[Finding]:
    """What is wrong with the approvals; empty when each agrees with itself and with the audit trail."""
    findings: list[Finding] = []
    last = 0
    while chunk := list(Approval.objects.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        trail = _trail(chunk)
        for approval in chunk:
            subject = f"approval {approval.pk}"
            findings += [Finding(check, subject, detail) for check, detail in _faults(approval, trail)]
        last = chunk[-1].pk
    return [*findings, *_gone()]


def _gone() -> Iterator[Finding]:
    """Proposals that the trail tells of, and that are not there."""
    told = AuditEntry.objects.filter(act="approval.proposed").order_by("pk").values_list("subject", flat=True)
    there = set(Approval.objects.values_list("pk", flat=True))
    for subject in told.iterator(CHUNK):
        key = subject.rpartition(":")[2]
        if not (key.isdecimal() and int(key) in there):
            yield Finding("approval_gone", f"approval {key}", "was proposed by the audit trail, and is gone")


def _trail(chunk: list[Approval]) -> dict[tuple[str, str], AuditEntry]:
    """The last entry of each act about each approval."""
    entries = AuditEntry.objects.filter(subject__in=[named(approval) for approval in chunk])
    return {(entry.subject, entry.act): entry for entry in entries.order_by("pk")}


def _faults(approval: Approval, trail: dict[tuple[str, str], AuditEntry]) -> Iterator[tuple[str, str]]:
    if proposals.digest(approval) != approval.digest:
        yield "approval_altered", f"{approval.act} by {approval.proposed_by} is not what its digest says"
    if fault := _people(approval):
        yield "approval_two_people", fault
    if approval.state == Approval.State.APPROVED and approval.done_digest != approval.digest:
        yield "approval_done_as_approved", "what was done is not what was approved"

    proposed = trail.get((named(approval), "approval.proposed"))
    if proposed is None or (_word(proposed, "digest"), proposed.by) != (
        approval.digest,
        approval.proposed_by,
    ):
        yield "approval_proposal_on_trail", "the audit trail knows no such proposal"
    if fault := _on_trail(approval, trail):
        yield "approval_decision_on_trail", fault
    shown = _shown(approval, trail)
    if proposed and shown is not None and disclosed(approval.effect) != shown:
        yield "approval_effect_on_trail", "its effect is not the one that was shown by the audit trail"


def _on_trail(approval: Approval, trail: dict[tuple[str, str], AuditEntry]) -> str:
    """How what became of it differs from what the trail tells."""
    recorded = [state for state, act in _ON_TRAIL.items() if (named(approval), act) in trail]
    if recorded != ([] if approval.state == Approval.State.PROPOSED else [approval.state]):
        said = ", ".join(recorded) or "undecided"
        return f"is {approval.state}, and {said} by the audit trail"
    if not recorded:
        said_so = approval.decided_by or approval.decided_at or approval.note
        return "is undecided, and says who decided it, when or why" if said_so else ""
    decision = _decision(approval, trail)
    if approval.decided_by and decision.by != approval.decided_by:
        return f"{approval.decided_by} did not decide it by the audit trail"
    return _decided(approval, decision)


def _decided(approval: Approval, entry: AuditEntry) -> str:
    """How the decision differs from what the trail tells of it."""
    if approval.note != entry.reason:
        return "its note is not the one on the audit trail"
    if approval.decided_at != entry.at:
        return f"was decided at {approval.decided_at}, at {entry.at} by the audit trail"
    return ""


def _shown(approval: Approval, trail: dict[tuple[str, str], AuditEntry]) -> Any:
    """The effect that the trail last tells of."""
    told = [entry for act in _TELL_EFFECT if (entry := trail.get((named(approval), act)))]
    if not told:
        return None
    last = max(told, key=lambda entry: entry.pk)
    return last.after if last.act == _CHANGED else _word(last, "effect")


def _decision(approval: Approval, trail: dict[tuple[str, str], AuditEntry]) -> AuditEntry:
    return trail[named(approval), _ON_TRAIL[Approval.State(approval.state)]]


def _people(approval: Approval) -> str:
    try:
        proposer = Actor.parse(approval.proposed_by).person
        decider = Actor.parse(approval.decided_by).person if approval.decided_by else ""
    except ValueError as error:
        return str(error)
    if (proposer, decider) != (approval.proposed_person, approval.decided_person):
        return f"{proposer} and {decider or 'nobody'} are not the people it was decided by"
    if approval.state in {Approval.State.APPROVED, Approval.State.REFUSED} and decider in {"", proposer}:
        return f"{approval.state} by {decider or 'nobody'}, proposed by {proposer}"
    return ""


def _word(entry: AuditEntry, name: str) -> Any:
    return entry.after.get(name) if isinstance(entry.after, dict) else None
