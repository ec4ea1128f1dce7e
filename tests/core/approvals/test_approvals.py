"""What one person proposes another lets happen: once, unchanged, or not at all."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from members.models import User
from paymentsite.core import clock, queries, tasks
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.arguments import ArgumentGone
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals, proposals
from paymentsite.core.services.approvals import (
    ActUnknown,
    AlreadyDecided,
    EffectChanged,
    NotYours,
    OwnProposal,
    ProposerGone,
    ReasonMissing,
    RightMissing,
)
from tests.core.approvals import renaming
from tests.core.approvals.renaming import NameTaken, State, approve, rename, runs, staff, trail

pytestmark = pytest.mark.django_db


def test_calling_the_service_proposes_and_changes_nothing(proposal: Approval, ann: Actor, user: User) -> None:
    user.refresh_from_db()
    assert (user.email, runs()) == ("old@example.com", 0)
    assert (proposal.state, proposal.act, proposal.proposed_by) == (State.PROPOSED, "test.rename", str(ann))
    assert proposal.effect == {"from": "old@example.com", "to": "new@example.com"}
    assert proposal.arguments["note"] == "none"
    assert proposal.expires_at - proposal.proposed_at == timedelta(days=2)
    assert trail(proposal) == ["approval.proposed"]
    assert str(proposal) == "Rename somebody (proposed)"
    assert approvals.verify() == []


def test_calling_the_service_leaves_no_way_round_the_approval() -> None:
    assert not hasattr(rename, "__wrapped__")
    assert rename.__doc__ == "Rename a user."


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_proposal_without_a_reason_is_refused(user: User, ann: Actor, reason: str) -> None:
    with pytest.raises(ReasonMissing):
        rename(user=user, email="new@example.com", by=ann, reason=reason)

    assert not Approval.objects.exists()


def test_proposal_that_would_be_refused_is_refused_now_and_leaves_nothing(user: User, ann: Actor) -> None:
    with pytest.raises(NameTaken):
        rename(user=user, email="ann@example.com", by=ann, reason="asked")

    assert not Approval.objects.exists()
    assert not AuditEntry.objects.exists()


def test_proposal_with_arguments_that_do_not_fit_is_an_error(user: User, ann: Actor) -> None:
    with pytest.raises(TypeError, match="missing a required argument"):
        rename(user=user, by=ann, reason="asked")  # type: ignore[call-arg]


def test_approved_act_is_done_as_proposed(proposal: Approval, ann: Actor, bob: Actor, user: User) -> None:
    done = approve(proposal, bob)

    user.refresh_from_db()
    assert (user.email, runs()) == ("new@example.com", 1)
    assert (done.state, done.decided_by, done.done_digest) == (State.APPROVED, str(bob), proposal.digest)
    entry = AuditEntry.objects.get(act="test.renamed")
    assert (entry.by, entry.reason, entry.after) == (str(ann), "asked by letter", {"note": "none"})
    assert trail(proposal) == ["approval.proposed", "approval.approved"]
    assert approvals.verify() == []


@pytest.mark.attack
@pytest.mark.parametrize("left", [{"is_active": False}, {"is_staff": False}])
def test_what_somebody_proposed_who_left_is_refused_not_done(
    proposal: Approval, ann: Actor, bob: Actor, left: dict[str, bool]
) -> None:
    User.objects.filter(pk=ann.key).update(**left)

    with pytest.raises(ProposerGone):
        approve(proposal, bob)

    proposal.refresh_from_db()
    assert (proposal.state, runs()) == (State.PROPOSED, 0)
    assert approvals.refuse(approval=proposal, by=bob, note="they left").state == State.REFUSED


def test_own_proposal_cannot_be_decided(proposal: Approval, ann: Actor) -> None:
    for decide in (
        partial(approve, proposal, ann),
        partial(approvals.refuse, approval=proposal, by=ann, note="x"),
    ):
        with pytest.raises(OwnProposal):
            decide()

    assert (runs(), Approval.objects.get().state) == (0, State.PROPOSED)


def test_own_proposal_cannot_be_decided_in_another_rank(proposal: Approval, ann: Actor) -> None:
    with pytest.raises(OwnProposal):
        approve(proposal, Actor("member", ann.key))


@pytest.mark.parametrize("decider", [lambda: staff("eve", right=False), lambda: SYSTEM, lambda: Actor("partner", "7")])
def test_deciding_takes_the_right(proposal: Approval, decider: Callable[[], Actor]) -> None:
    by = decider()

    for decide in (
        partial(approve, proposal, by),
        partial(approvals.refuse, approval=proposal, by=by, note="x"),
    ):
        with pytest.raises(RightMissing):
            decide()

    assert (runs(), Approval.objects.get().state) == (0, State.PROPOSED)


def test_refused_act_is_not_done(proposal: Approval, bob: Actor) -> None:
    with pytest.raises(ReasonMissing):
        approvals.refuse(approval=proposal, by=bob, note=" ")

    refused = approvals.refuse(approval=proposal, by=bob, note="not like this")

    assert (refused.state, refused.decided_by, refused.note, runs()) == (
        State.REFUSED,
        str(bob),
        "not like this",
        0,
    )
    assert trail(proposal) == ["approval.proposed", "approval.refused"]
    assert approvals.verify() == []


def test_withdrawing_is_for_whoever_proposed(proposal: Approval, ann: Actor, bob: Actor) -> None:
    with pytest.raises(NotYours):
        approvals.withdraw(approval=proposal, by=bob)

    withdrawn = approvals.withdraw(approval=proposal, by=ann, note="typo")

    assert (withdrawn.state, withdrawn.decided_by, withdrawn.note) == (State.WITHDRAWN, "", "typo")
    assert trail(proposal) == ["approval.proposed", "approval.withdrawn"]
    assert approvals.verify() == []


def decisions(proposal: Approval, ann: Actor, bob: Actor) -> list[Callable[[], Any]]:
    return [
        partial(approve, proposal, bob),
        partial(approvals.refuse, approval=proposal, by=bob, note="no"),
        partial(approvals.withdraw, approval=proposal, by=ann),
    ]


@pytest.mark.parametrize("first", range(3))
def test_decided_is_decided(proposal: Approval, ann: Actor, bob: Actor, first: int) -> None:
    every = decisions(proposal, ann, bob)
    every[first]()
    state, before = Approval.objects.get().state, runs()

    for decide in every:
        with pytest.raises(AlreadyDecided) as refusal:
            decide()
        assert refusal.value.facts == {"approval": proposal.pk, "state": state}

    assert approvals.expire_due(now=proposal.expires_at) == 0
    assert (Approval.objects.get().state, runs()) == (state, before)


def test_nobody_decides_after_the_end(proposal: Approval, ann: Actor, bob: Actor) -> None:
    with clock.standing(proposal.expires_at):
        for decide in decisions(proposal, ann, bob):
            with pytest.raises(AlreadyDecided) as refusal:
                decide()
            assert refusal.value.facts["state"] == State.EXPIRED

    assert (Approval.objects.get().state, runs()) == (State.PROPOSED, 0)


def test_expiry_closes_what_is_due_once(proposal: Approval) -> None:
    assert approvals.expire_due(now=proposal.expires_at - timedelta(microseconds=1)) == 0
    assert approvals.expire_due() == 0

    assert approvals.expire_due(now=proposal.expires_at) == 1
    assert approvals.expire_due(now=proposal.expires_at) == 0

    assert Approval.objects.get().state == State.EXPIRED
    assert trail(proposal) == ["approval.proposed", "approval.expired"]
    assert approvals.verify() == []


def test_expiry_job_is_due_when_the_next_one_ends(proposal: Approval, ann: Actor, user: User) -> None:
    with clock.standing(proposal.expires_at):
        later = rename(user=user, email="later@example.com", by=ann, reason="asked")

    assert queries.next_approval_end(proposal.proposed_at) == proposal.expires_at
    assert queries.next_approval_end(proposal.expires_at) == later.expires_at
    assert tasks.expire_approvals(now=proposal.expires_at) == "1 expired"
    assert tasks.expire_approvals(now=later.expires_at) == "1 expired"
    assert queries.next_approval_end(proposal.proposed_at) is None


def test_changed_effect_is_undone_and_shown(proposal: Approval, bob: Actor, user: User) -> None:
    shown = proposal.shown
    User.objects.filter(pk=user.pk).update(email="other@example.com")

    with pytest.raises(EffectChanged):
        approve(proposal, bob)

    user.refresh_from_db()
    proposal.refresh_from_db()
    assert (user.email, proposal.state, runs()) == ("other@example.com", State.PROPOSED, 0)
    assert proposal.effect == {"from": "other@example.com", "to": "new@example.com"}
    assert trail(proposal) == ["approval.proposed", "approval.effect_changed"]

    with pytest.raises(EffectChanged):
        approvals.approve(approval=proposal, by=bob, shown=shown)
    assert approve(proposal, bob).state == State.APPROVED
    assert approvals.verify() == []


def test_changed_effect_of_what_was_decided_meanwhile_is_not_kept(proposal: Approval, ann: Actor, bob: Actor) -> None:
    approvals.withdraw(approval=proposal, by=ann)

    assert approvals._keep_effect(proposal, bob, {"other": 1})

    proposal.refresh_from_db()
    assert proposal.effect == {"from": "old@example.com", "to": "new@example.com"}


def test_refusal_of_the_service_leaves_it_open_and_on_the_trail(proposal: Approval, bob: Actor, user: User) -> None:
    other = User.objects.create_user("new@example.com")

    with pytest.raises(NameTaken):
        approve(proposal, bob)

    assert (Approval.objects.get().state, runs()) == (State.PROPOSED, 0)
    assert trail(proposal) == ["approval.proposed", "approval.failed"]
    failed = AuditEntry.objects.get(act="approval.failed")
    assert (failed.by, failed.after) == (
        str(bob),
        {"code": "test_name_taken", "facts": {"email": "new@example.com"}},
    )
    assert AuditEntry.objects.filter(act="test.kept").count() == 1

    other.delete()
    assert approve(proposal, bob).state == State.APPROVED


@pytest.mark.django_db(transaction=True)
def test_refusal_that_was_overtaken_is_tried_again(proposal: Approval, bob: Actor, monkeypatch) -> None:
    User.objects.create_user("new@example.com")

    def overtaken(_user: User) -> bool:
        User.objects.filter(email="new@example.com").delete()
        return False

    monkeypatch.setattr(renaming, "_kept", overtaken)

    assert approve(proposal, bob).state == State.APPROVED
    assert trail(proposal) == ["approval.proposed", "approval.approved"]
    assert runs() == 1


def test_row_that_is_gone_refuses_approval(proposal: Approval, bob: Actor, user: User) -> None:
    user.delete()

    with pytest.raises(ArgumentGone):
        approve(proposal, bob)

    assert Approval.objects.get().state == State.PROPOSED


def test_act_that_is_no_longer_declared_refuses_approval(proposal: Approval, bob: Actor, monkeypatch) -> None:
    monkeypatch.delitem(proposals._acts, "test.rename")

    with pytest.raises(ActUnknown):
        approve(proposal, bob)
