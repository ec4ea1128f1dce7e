"""What one person proposes another lets happen: once, unchanged, or not at all."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from members.models import User
from paymentsite.core import clock, queries, tasks
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.arguments import ArgumentGone
from paymentsite.core.errors import DomainError, Refused
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals, audit, proposals
from paymentsite.core.services.approvals import (
    ActUnknown,
    AlreadyDecided,
    Effect,
    EffectChanged,
    NotYours,
    OwnProposal,
    ReasonMissing,
    RightMissing,
    Tampered,
)

pytestmark = pytest.mark.django_db

State = Approval.State
RIGHT = "members.change_user"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class NameTaken(Refused):
    code = "test_name_taken"
    sentence = "{email} is taken."


@approvals.required("test.rename", right=RIGHT, expires=timedelta(days=2))
def rename(*, user: User, email: str, note: str = "none", by: Actor, reason: str) -> Effect:
    """Rename a user."""
    if User.objects.filter(email=email).exclude(pk=user.pk).exists():
        taken = NameTaken(email=email)
        taken.keep = partial(_kept, user)
        raise taken
    before = user.email
    User.objects.filter(pk=user.pk).update(email=email)
    audit.record(by=by, act="test.renamed", subject=user, after={"note": note}, reason=reason)
    return {"from": before, "to": email}


def _kept(user: User) -> bool:
    audit.record(by=SYSTEM, act="test.kept", subject=user)
    return True


def staff(name: str, *, right: bool = True) -> Actor:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    if right:
        user.user_permissions.add(Permission.objects.get(codename="change_user"))
    return Actor.of(user)


@pytest.fixture
def ann() -> Actor:
    return staff("ann")


@pytest.fixture
def bob() -> Actor:
    return staff("bob")


@pytest.fixture
def user() -> User:
    return User.objects.create_user("old@example.com")


@pytest.fixture
def proposal(ann: Actor, user: User) -> Approval:
    return rename(user=user, email="new@example.com", by=ann, reason="asked by letter")


def runs() -> int:
    return AuditEntry.objects.filter(act="test.renamed").count()


def trail(approval: Approval) -> list[str]:
    return list(AuditEntry.objects.of(approval).order_by("pk").values_list("act", flat=True))


def approve(approval: Approval, by: Actor) -> Approval:
    return approvals.approve(approval=approval, by=by, shown=approval.shown)


def test_calling_the_service_proposes_and_changes_nothing(proposal: Approval, ann: Actor, user: User) -> None:
    user.refresh_from_db()
    assert (user.email, runs()) == ("old@example.com", 0)
    assert (proposal.state, proposal.act, proposal.proposed_by) == (State.PROPOSED, "test.rename", str(ann))
    assert proposal.effect == {"from": "old@example.com", "to": "new@example.com"}
    assert proposal.arguments["note"] == "none"
    assert proposal.expires_at - proposal.proposed_at == timedelta(days=2)
    assert trail(proposal) == ["approval.proposed"]
    assert str(proposal) == "test.rename (proposed)"
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

    monkeypatch.setattr(sys.modules[__name__], "_kept", overtaken)

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


@pytest.mark.attack
@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {"user": None, "email": "evil@example.com"}},
        {"act": "test.other"},
        {"reason": "other"},
        {"proposed_by": "staff:99"},
        {"proposed_by": "nobody"},
        {"proposed_by": "staff:99", "proposed_person": "user:99"},
        {"proposed_person": "user:99"},
        {"expires_at": LATER},
        {"digest": "0" * 64},
    ],
)
def test_tampered_proposal_is_refused_and_named(proposal, bob, user, unprotected, monkeypatch, changes) -> None:
    monkeypatch.setitem(proposals._acts, "test.other", proposals._acts["test.rename"])
    with unprotected():
        Approval.objects.update(**changes)

    with pytest.raises(Tampered) as refusal:
        approve(proposal, bob)

    assert refusal.value.facts["approval"] == proposal.pk
    assert (Approval.objects.get().state, runs()) == (State.PROPOSED, 0)
    assert f"approval {proposal.pk}" in {finding.subject for finding in approvals.verify()}


@pytest.mark.parametrize("changes", [{"arguments": {}}, {"act": "x"}, {"reason": "x"}, {"proposed_person": "x"}])
def test_database_refuses_to_change_a_proposal(proposal: Approval, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.all().delete()


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "approved", "decided_person": "", "done": True},
        {"state": "approved", "decided_person": "own", "done": True},
        {"state": "refused", "decided_person": "own"},
        {"state": "approved", "decided_person": "user:0"},
        {"state": "refused", "decided_person": "user:0", "done": True},
        {"state": "expired", "decided_person": "user:0"},
        {"state": "expired", "decided_at": None},
        {"state": "unheard", "decided_person": "user:0"},
        {"state": "proposed"},
    ],
)
def test_database_refuses_a_decision_without_two_people_or_of_another_act(proposal, changes) -> None:
    fields = {"decided_at": LATER, **changes}
    if fields.pop("done", False):
        fields["done_digest"] = proposal.digest
    if fields.get("decided_person") == "own":
        fields["decided_person"] = proposal.proposed_person

    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(**fields)


def decided(by: str) -> dict[str, Any]:
    return {
        "state": "refused",
        "decided_by": by,
        "decided_person": by.replace("staff", "user"),
        "decided_at": LATER,
    }


@pytest.mark.attack
@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        (decided("staff:0"), ["approval_decision_on_trail"]),
        (
            decided("staff:0") | {"decided_person": "user:7000000"},
            ["approval_two_people", "approval_decision_on_trail"],
        ),
        (
            {"proposed_by": "staff:0", "proposed_person": "user:0"},
            ["approval_altered", "approval_proposal_on_trail"],
        ),
    ],
)
def test_verify_names_what_was_planted(proposal, unprotected, changes, checks) -> None:
    with unprotected():
        Approval.objects.update(**changes)

    assert [finding.check for finding in approvals.verify()] == checks


@pytest.mark.attack
def test_verify_names_a_rewritten_proposal_with_a_fitting_digest(proposal, bob, unprotected) -> None:
    proposal.arguments["email"] = "evil@example.com"
    with unprotected():
        Approval.objects.update(arguments=proposal.arguments, digest=proposals.digest(proposal))

    assert [finding.check for finding in approvals.verify()] == ["approval_proposal_on_trail"]


@pytest.mark.attack
def test_verify_names_another_decider_and_a_decision_undone(proposal, bob, unprotected) -> None:
    approve(proposal, bob)
    eve = staff("eve")

    Approval.objects.update(decided_by=str(eve), decided_person=eve.person)
    assert [finding.check for finding in approvals.verify()] == ["approval_decision_on_trail"]

    Approval.objects.update(state="proposed", decided_by="", decided_person="", decided_at=None, done_digest="")
    (finding,) = approvals.verify()
    assert finding.detail == "is proposed, and approved by the audit trail"


@pytest.mark.attack
def test_verify_names_what_the_constraints_would_refuse(proposal, bob, ann, monkeypatch) -> None:
    """Constraints can be dropped by whoever owns the database; the checks do not lean on them."""
    from paymentsite.core.services import approval_checks  # noqa: PLC0415

    approve(proposal, bob)
    proposal.refresh_from_db()
    proposal.done_digest = "0" * 64
    proposal.decided_by, proposal.decided_person = str(ann), ann.person
    found = list(approval_checks._faults(proposal, approval_checks._trail([proposal])))

    assert found == [
        ("approval_two_people", f"approved by {ann.person}, proposed by {ann.person}"),
        ("approval_done_as_approved", "what was done is not what was approved"),
        ("approval_decision_on_trail", f"{ann} did not decide it by the audit trail"),
    ]


def no_by(*, reason: str) -> Effect:
    return {}


def positional(user: User, *, by: Actor, reason: str) -> Effect:
    return {}


def with_secret(*, pin: str, by: Actor, reason: str) -> Effect:
    return {}


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        (no_by, "test.no_by", "must take by"),
        (positional, "test.positional", "keywords only"),
        (with_secret, "test.with_secret", "takes pin"),
        (rename, "test.rename", "declared twice"),
    ],
)
def test_declaration_that_cannot_work_is_an_error(body, name: str, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        approvals.required(name, right=RIGHT)(body)


def race(together, proposal: Approval, ann: Actor, count: int) -> list[Any]:
    """Everybody decides at once, each in their own way; what each heard."""
    deciders = [staff(f"decider{n}") for n in range(count)]
    acts: list[Callable[[Actor], Any]] = [
        partial(approve, proposal),
        lambda by: approvals.refuse(approval=proposal, by=by, note="no"),
        lambda _: approvals.withdraw(approval=proposal, by=ann),
        partial(approve, proposal),
        lambda _: approvals.expire_due(now=proposal.expires_at) or None,
    ]
    return together(count, lambda n: acts[n % len(acts)](deciders[n]))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("again", range(3))
def test_one_decision_wins_whoever_decides_at_once(together, proposal, ann, count: int, again: int) -> None:
    results = race(together, proposal, ann, count)

    winners = [r for r in results if r is not None and not isinstance(r, Exception)]
    assert [r for r in results if isinstance(r, Exception) and not isinstance(r, AlreadyDecided)] == []
    assert len(winners) == 1
    proposal.refresh_from_db()
    assert proposal.state != State.PROPOSED
    assert runs() == (1 if proposal.state == State.APPROVED else 0)
    assert len(trail(proposal)) == 2
    assert approvals.verify() == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [2, 8, 32])
def test_approvals_at_once_do_it_once(together, proposal, count: int) -> None:
    deciders = [staff(f"decider{n}") for n in range(count)]

    results = together(count, lambda n: approve(proposal, deciders[n]))

    assert [type(r) for r in results].count(Approval) == 1
    assert [type(r) for r in results].count(AlreadyDecided) == count - 1
    assert runs() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_condition_several_decisions_win(together, proposal, monkeypatch) -> None:
    """The control: the races above are decided by the condition of one UPDATE, and see it go."""
    monkeypatch.setattr(approvals, "_open", lambda _now: Q())
    deciders = [staff(f"decider{n}") for n in range(8)]

    results = together(8, lambda n: approvals.refuse(approval=proposal, by=deciders[n], note="no"))

    assert [type(r) for r in results].count(Approval) > 1


def test_refusals_have_sentences(proposal: Approval, bob: Actor) -> None:
    approve(proposal, bob)

    with pytest.raises(DomainError) as refusal:
        approve(proposal, bob)

    assert str(refusal.value) == f"Approval {proposal.pk} is no longer open: it is approved."
    assert connection.is_usable()
