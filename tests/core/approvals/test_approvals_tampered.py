"""What was changed past the services is refused by the database, or found."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from paymentsite.core.services import approvals, proposals
from paymentsite.core.services.approvals import (
    Tampered,
)
from tests.core.approvals.renaming import LATER, State, approve, rename, runs, staff

pytestmark = pytest.mark.django_db


@pytest.mark.attack
@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {"user": None, "email": "evil@example.com"}},
        {"act": "test.other"},
        {"reason": "other"},
        {"proposed_by": "staff:0"},
        {"proposed_by": "nobody"},
        {"proposed_by": "staff:0", "proposed_person": "user:0"},
        {"proposed_person": "user:0"},
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


def refuse(proposal: Approval, by: Actor) -> None:
    approvals.refuse(approval=proposal, by=by, note="no")


def withdraw(proposal: Approval, by: Actor) -> None:
    approvals.withdraw(approval=proposal, by=by, note="oops")


def expire(proposal: Approval, _by: Actor) -> None:
    approvals.expire_due(now=proposal.expires_at)


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

    proposal.decided_at = LATER
    assert list(approval_checks._faults(proposal, approval_checks._trail([proposal]))) == [
        ("approval_decision_on_trail", "is undecided, and says who decided it, when or why")
    ]
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


@pytest.mark.parametrize("changes", [{"effect": {"from": "x"}}, {"note": "forged"}, {"decided_at": LATER}])
def test_decision_that_was_edited_is_named(proposal, bob, changes) -> None:
    approve(proposal, bob)
    assert approvals.verify() == []

    Approval.objects.update(**changes)

    assert {finding.subject for finding in approvals.verify()} == {f"approval {proposal.pk}"}


def test_note_of_a_refusal_that_was_edited_is_named(proposal, bob) -> None:
    approvals.refuse(approval=proposal, by=bob, note="no")
    assert approvals.verify() == []

    Approval.objects.update(note="yes, fine")

    assert {finding.subject for finding in approvals.verify()} == {f"approval {proposal.pk}"}


def test_effect_that_nobody_rehearsed_and_a_proposal_that_is_gone_are_named(proposal, bob, unprotected) -> None:
    Approval.objects.update(effect={"from": "x"})
    assert {finding.check for finding in approvals.verify()} == {"approval_effect_on_trail"}

    with unprotected():
        Approval.objects.all().delete()
    assert {finding.check for finding in approvals.verify()} == {"approval_gone"}


@pytest.mark.attack
@pytest.mark.parametrize("changes", [{"decided_by": "staff:0"}, {"note": "fine"}])
def test_undecided_proposal_that_tells_of_a_decision_is_named_and_hides_no_other(
    proposal, ann, user, unprotected, changes
) -> None:
    other = rename(user=user, email="other@example.com", by=ann, reason="asked again")
    with unprotected():
        Approval.objects.filter(pk=proposal.pk).update(**changes)
        Approval.objects.filter(pk=other.pk).update(reason="forged")

    assert {finding.subject for finding in approvals.verify()} == {f"approval {proposal.pk}", f"approval {other.pk}"}


@pytest.mark.parametrize("decide", [approve, refuse, withdraw, expire])
def test_moment_of_a_decision_is_the_one_on_the_trail(proposal, bob, ann, decide) -> None:
    decide(proposal, ann if decide is withdraw else bob)
    proposal.refresh_from_db()
    assert proposal.decided_at is not None
    assert approvals.verify() == []

    Approval.objects.update(decided_at=proposal.decided_at + timedelta(microseconds=1))

    assert [finding.check for finding in approvals.verify()] == ["approval_decision_on_trail"]
