"""Staff who are members too decide nothing about themselves."""

from typing import Any

import pytest

from members.models import Member, Redemption
from members.services import members, rewards
from paymentsite.core.actors import Actor, OwnMatter
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.saved import bank_account
from wallets.models import AccountProof, Wallet
from wallets.services import account_proofs, wallets

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["staff", "member"])
def me(request) -> tuple[Member, Actor]:
    """A member, and how they act: whatever they sign in as, it is they."""
    made = member()
    return made, Actor(request.param, str(made.pk))


def refused(deed: Any, **about: Any) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(OwnMatter):
        deed(reason="I know myself", **about)
    assert AuditEntry.objects.count() == before


def test_membership(me):
    ada, by = me
    refused(members.suspend, member=ada, by=by)
    members.suspend(member=ada, by=Actor("staff", "0"), reason="asked")
    refused(members.resume, member=ada, by=by)
    assert Member.objects.get(pk=ada.pk).state == "suspended"


def test_wallet(me):
    ada, by = me
    purse = wallets.open(member=ada, currency="CNY", by=by)
    wallets.freeze(wallet=purse, by=by, reason="my telephone is gone")
    refused(wallets.thaw, wallet=purse, by=by)
    assert Wallet.objects.get(pk=purse.pk).state == "frozen"


def test_reward(me):
    ada, by = me
    refused(rewards.cancel, redemption=Redemption(member=ada), by=by)


@pytest.mark.parametrize("passed", [True, False])
def test_doubt_about_a_bank_account(me, passed):
    ada, by = me
    saved = bank_account(of=ada)
    proof = account_proofs.match_name(instrument=saved, legal_name=Secret("Ada B. Lovelace"), by=by)
    refused(account_proofs.decide, proof=proof, passed=passed, by=by)
    assert AccountProof.objects.get(pk=proof.pk).state == "doubtful"
