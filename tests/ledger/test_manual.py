"""Money moved by hand takes two people."""

import pytest
from django.contrib.auth.models import Permission

from members.models import User
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.refusals import InsufficientFunds
from paymentsite.ledger.services import manual

pytestmark = pytest.mark.django_db


def person(name, *permissions):
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Actor.of(user)


@pytest.fixture
def purse():
    return ledger.open_account(owner="test:a", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)


def propose(purse, amount, by, source=None):
    return manual.post_manual(
        amount=Money(amount, "CNY"),
        source=source or ledger.house("suspense", "CNY"),
        target=purse,
        reference="goodwill 1",
        by=by,
        reason="goodwill",
    )


def test_proposal_moves_nothing_until_another_person_approves(purse):
    maker, checker = person("maker"), person("checker", "approve_manual")

    proposal = propose(purse, 500, maker)

    assert isinstance(proposal, Approval)
    assert queries.standing(purse).posted == Money(0, "CNY")
    assert Journal.objects.count() == 0
    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposal, by=maker, shown=proposal.shown)

    approvals.approve(approval=proposal, by=checker, shown=proposal.shown)

    assert queries.standing(purse).posted == Money(500, "CNY")
    journal = Journal.objects.get()
    assert (journal.kind, journal.actor, journal.details) == ("manual", str(maker), {"reason": "goodwill"})
    assert AuditEntry.objects.filter(subject=f"core.approval:{proposal.pk}").exists()
    with pytest.raises(approvals.AlreadyDecided):
        approvals.approve(approval=proposal, by=checker, shown=proposal.shown)


@pytest.mark.parametrize("out", [True, False], ids=["out of it", "onto it"])
def test_account_that_is_told_elsewhere_is_never_moved_by_hand(purse, monkeypatch, out):
    monkeypatch.setattr(manual, "_kept", {"wallet"})
    house = ledger.house("suspense", "CNY")

    with pytest.raises(manual.AccountKept):
        propose(house if out else purse, 500, person("maker"), source=purse if out else house)
    assert not Approval.objects.exists()


def test_move_that_was_made_is_neither_proposed_nor_approved_again(purse):
    maker, checker = person("maker"), person("checker", "approve_manual")
    first, twin = propose(purse, 500, maker), propose(purse, 500, maker)
    approvals.approve(approval=first, by=checker, shown=first.shown)

    with pytest.raises(manual.MoveMade) as refusal:
        approvals.approve(approval=twin, by=checker, shown=twin.shown)
    assert refusal.value.facts == {"reference": "goodwill 1"}
    with pytest.raises(manual.MoveMade):
        propose(purse, 500, maker)

    twin.refresh_from_db()
    assert (twin.state, Approval.objects.count()) == (Approval.State.PROPOSED, 2)
    assert (queries.standing(purse).posted, Journal.objects.count()) == (Money(500, "CNY"), 1)
    assert approvals.verify() == []


def test_proposal_that_cannot_be_done_is_not_made(purse):
    maker = person("maker")
    other = ledger.open_account(owner="test:b", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)

    with pytest.raises(InsufficientFunds):
        propose(purse, 500, maker, source=other)

    assert not Approval.objects.exists()
