"""Which acts can be declared, and what becomes of a proposal that many decide at once."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from members.models import User
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect
from paymentsite.core.errors import DomainError
from paymentsite.core.models import Approval
from paymentsite.core.services import approvals
from paymentsite.core.services.approvals import (
    AlreadyDecided,
)
from tests.core.approvals.renaming import RIGHT, State, approve, rename, runs, staff, trail

pytestmark = pytest.mark.django_db


def no_by(*, reason: str) -> Effect:
    return {}


def no_user(*, by: Actor, reason: str) -> Effect:
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
        approvals.required(name, right=RIGHT, concerns=approvals.NOBODY, title="Nothing", lines={})(body)


def test_declaration_must_take_whom_it_concerns() -> None:
    with pytest.raises(TypeError, match="takes no user whom it could concern"):
        approvals.required(
            "test.nobody", right="members.change_user", concerns=("user.pk",), title="Nothing", lines={}
        )(no_user)


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

    assert str(refusal.value) == f"Approval {proposal.pk} is no longer open: it is approved and done."
    assert connection.is_usable()
