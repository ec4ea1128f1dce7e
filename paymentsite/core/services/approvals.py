"""Approvals: what one person proposes, another one lets happen.

    @approvals.required(
        "members.clear_pin",
        right="members.approve_clear_pin",
        concerns=("member",),
        title=_("Clear a payment PIN"),
        lines={"member": Line(_("member"))},
    )
    def clear_pin(*, member: Member, by: Actor, reason: str) -> Effect: ...

Calling such a service proposes it; ``approve`` does it. See docs/decisions/032-approvals.md.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.acts import act
from paymentsite.core.arguments import restored, stored
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import titled
from paymentsite.core.errors import Conflict, DomainError, Forbidden, Missing, Refused
from paymentsite.core.models import Approval
from paymentsite.core.models.approvals import effect_digest
from paymentsite.core.services import audit, proposals
from paymentsite.core.services.approval_checks import verify
from paymentsite.core.services.proposals import NOBODY, ReasonMissing, lines_of, required

__all__ = [
    "NOBODY",
    "ReasonMissing",
    "approve",
    "expire_due",
    "lines_of",
    "may_decide",
    "may_withdraw",
    "refuse",
    "required",
    "verify",
    "withdraw",
]


class ActUnknown(Missing):
    code = "approval_act_unknown"
    sentence = gettext_noop("No service is called {act} any more, so approval {approval} cannot be decided.")


class RightMissing(Forbidden, act=titled):
    code = "approval_right_missing"
    sentence = gettext_noop("Deciding on “{act}” takes the right {right}.")


class OwnProposal(Forbidden):
    code = "approval_own_proposal"
    sentence = gettext_noop("You proposed this yourself; somebody else must decide.")


class NotYours(Forbidden):
    code = "approval_not_yours"
    sentence = gettext_noop("Only whoever proposed this can withdraw it.")


class ProposerGone(Refused):
    code = "approval_proposer_gone"
    sentence = gettext_noop("Whoever proposed this no longer works here. Somebody else must propose it anew.")


class AlreadyDecided(Conflict, state=Approval.State):
    code = "approval_already_decided"
    sentence = gettext_noop("Approval {approval} is no longer open: it is {state}.")


class Tampered(Refused, act=titled):
    code = "approval_tampered"
    sentence = gettext_noop("Approval {approval} of “{act}” is not as it was proposed. Nothing was done.")


class EffectChanged(Conflict, act=titled):
    code = "approval_effect_changed"
    sentence = gettext_noop("“{act}” would now do something else than was shown. Look again before deciding.")


@act
def approve(*, approval: Approval, by: Actor, shown: str) -> Approval:
    """Do what was proposed, now, in one transaction with the decision. At most once, whoever else decides.

    ``shown`` is the digest of the effect that ``by`` looked at (``approval.shown``). When doing it has
    another effect it is undone, the new effect is stored to be looked at, and ``EffectChanged`` raised. When
    the service itself refuses, the approval stays open, and the refusal is on the trail.
    """
    approval = _locked(approval)
    declared = _decidable(approval, by)
    arguments = _intact(approval)
    if not Actor.parse(approval.proposed_by).works_here:
        raise ProposerGone

    decided_at = _settle(
        approval,
        Approval.State.APPROVED,
        by=by,
        done_digest=proposals.digest_of(approval, stored(arguments)["value"]),
    )
    try:
        effect = proposals.performed(declared, approval, arguments)
    except DomainError as refusal:
        refusal.keep = partial(_keep_failure, approval, by, refusal, refusal.keep)
        raise
    if effect_digest(effect) != shown:
        changed = EffectChanged(act=approval.act, approval=approval.pk)
        changed.keep = partial(_keep_effect, approval, by, effect)
        raise changed

    what = {"act": approval.act, "digest": approval.digest, "effect": effect}
    audit.record(by=by, act="approval.approved", subject=approval, after=what, at=decided_at)
    Approval.objects.filter(pk=approval.pk).update(effect=effect)
    approval.refresh_from_db()
    return approval


@act
def refuse(*, approval: Approval, by: Actor, note: str) -> Approval:
    """Decide that it shall not happen, and say why. Takes the same right as approving, and another person."""
    _decidable(approval, by)
    if not (note := clear(note).strip()):
        raise ReasonMissing
    decided_at = _settle(approval, Approval.State.REFUSED, by=by, note=note)
    return _on_record(approval, "approval.refused", by=by, reason=note, at=decided_at)


@act
def withdraw(*, approval: Approval, by: Actor, note: str = "") -> Approval:
    """Take back one's own proposal while nobody has decided."""
    if by.person != approval.proposed_person:
        raise NotYours
    decided_at = _settle(approval, Approval.State.WITHDRAWN, note=(note := clear(note).strip()))
    return _on_record(approval, "approval.withdrawn", by=by, reason=note, at=decided_at)


def may_decide(by: Actor, approval: Approval) -> bool:
    """Whether ``by`` could approve or refuse it, as things look now."""
    if approval.state != Approval.State.PROPOSED or approval.expires_at <= clock.now():
        return False
    try:
        _decidable(approval, by)
    except DomainError:
        return False
    return True


def may_withdraw(by: Actor, approval: Approval) -> bool:
    """Whether ``by`` could take it back, as things look now."""
    still_open = approval.state == Approval.State.PROPOSED and approval.expires_at > clock.now()
    return still_open and by.person == approval.proposed_person


def expire_due(*, now: datetime | None = None) -> int:
    """Close what nobody decided in time; how many. Safe at any time, twice and at once."""
    now = now or clock.now()
    due = list(Approval.objects.due(now).order_by("pk").values_list("pk", flat=True))
    return sum(_expire(pk, now) for pk in due)


@act
def _expire(pk: int, now: datetime) -> bool:
    expired = Approval.objects.due(now).filter(pk=pk).update(state=Approval.State.EXPIRED, decided_at=now)
    if expired:
        audit.record(by=SYSTEM, act="approval.expired", subject=Approval(pk=pk), at=now)
    return expired == 1


def _locked(approval: Approval) -> Approval:
    # Before the act's own rows, so that those who decide at once queue here. What decides is _settle alone.
    return Approval.objects.select_for_update().get(pk=approval.pk)


def _decidable(approval: Approval, by: Actor) -> proposals.Declared:
    declared = proposals.declared(approval.act)
    if declared is None:
        raise ActUnknown(act=approval.act, approval=approval.pk)
    if by.person == approval.proposed_person:
        raise OwnProposal
    if by.person in proposals.concerned(declared, approval):
        raise OwnMatter
    if not by.may(declared.right):
        raise RightMissing(act=declared.name, right=declared.right)
    return declared


def _intact(approval: Approval) -> dict[str, Any]:
    as_proposed = proposals.digest(approval) == approval.digest
    if not as_proposed or Actor.parse(approval.proposed_by).person != approval.proposed_person:
        raise Tampered(approval=approval.pk, act=approval.act)
    arguments: dict[str, Any] = restored({"is": "dict", "value": approval.arguments})
    return arguments


def _open(now: datetime) -> Q:
    return Q(state=Approval.State.PROPOSED, expires_at__gt=now)


def _settle(
    approval: Approval,
    state: Approval.State,
    *,
    by: Actor | None = None,
    note: str = "",
    done_digest: str = "",
) -> datetime:
    """Decide, if it is still open: the one statement on which everything else depends. Gives back the moment."""
    now = clock.now()
    settled = Approval.objects.filter(_open(now), pk=approval.pk).update(
        state=state,
        decided_by=str(by) if by else "",
        decided_person=by.person if by else "",
        decided_at=now,
        note=note,
        done_digest=done_digest,
    )
    if settled != 1:
        found = Approval.objects.get(pk=approval.pk)
        past = found.state == Approval.State.PROPOSED
        raise AlreadyDecided(approval=approval.pk, state=Approval.State.EXPIRED if past else found.state)
    return now


def _on_record(approval: Approval, what: str, *, by: Actor, reason: str, at: datetime) -> Approval:
    audit.record(by=by, act=what, subject=approval, reason=reason, at=at)
    approval.refresh_from_db()
    return approval


@transaction.atomic
def _keep_failure(approval: Approval, by: Actor, refusal: DomainError, keep: Callable[[], bool] | None) -> bool:
    kept = keep is None or keep()
    if kept:
        what = {"code": refusal.code, "facts": refusal.facts}
        audit.record(by=by, act="approval.failed", subject=approval, after=what)
    return kept


@transaction.atomic
def _keep_effect(approval: Approval, by: Actor, effect: Any) -> bool:
    if Approval.objects.undecided().filter(pk=approval.pk).update(effect=effect):
        audit.record(by=by, act="approval.effect_changed", subject=approval, before=approval.effect, after=effect)
    return True
