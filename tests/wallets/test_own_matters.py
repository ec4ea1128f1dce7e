"""Staff who are members too decide nothing about themselves."""

from typing import Any
from uuid import uuid4

import pytest

from members.models import Limit, Member, Redemption
from members.services import limit_rules, members, rewards
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.factories import asked, given, wallet
from tests.wallets.saved import bank_account
from wallets.models import AccountProof, Gift, MoneyRequest, StandingOrder, Wallet
from wallets.services import account_proofs, gift_links, leaving, requests, standing_orders, wallets
from wallets.services.standing_pauses import OrderHeld

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


@pytest.fixture(params=["staff", "member"])
def me(request) -> tuple[Member, Actor]:
    """A member, and how they act: whatever they sign in as, it is they."""
    made = member()
    return made, Actor(request.param, str(made.pk))


@pytest.fixture
def ada(me) -> Member:
    return me[0]


@pytest.fixture
def by(me) -> Actor:
    return me[1]


def refused(deed: Any, reason: str | None = "I know myself", **about: Any) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(OwnMatter):
        deed(**about, **({"reason": reason} if reason else {}))
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


def ordered(sender: Member, payee: Member) -> StandingOrder:
    wallets.open(member=sender, currency="CNY", by=SYSTEM)
    facts = {"amount_minor": 100, "currency": "CNY", "every": "once", "starts_on": "2031-01-31", "count": 1}
    moments = {"next_on": "2031-01-31", "next_at": "2031-01-31T01:00:00Z", "made_at": EPOCH}
    return StandingOrder.objects.create(
        public_id=uuid4(), member=sender, payee=payee, reference=f"o{sender.pk}", **facts, **moments
    )


@pytest.mark.parametrize("deed", [standing_orders.pause, standing_orders.resume, standing_orders.end])
def test_standing_order_from_or_to_oneself(ada, by, deed):
    for order in (ordered(ada, member()), ordered(member(), ada)):
        standing_orders.pause(order=order, by=STAFF)

        refused(deed, None, order=order, by=by)
        assert StandingOrder.objects.get(pk=order.pk).state == "paused"


def test_own_standing_order_that_staff_paused_is_not_resumed_as_a_member(ada, by):
    order = standing_orders.pause(order=ordered(ada, member()), by=STAFF)

    with pytest.raises(OrderHeld):
        standing_orders.resume(order=order, member=ada, by=by)
    assert standing_orders.resume(order=order, by=STAFF).state == "active"


def test_own_standing_order_that_one_paused_oneself_goes_on(ada, by):
    order = standing_orders.pause(order=ordered(ada, member()), member=ada, by=by)

    assert standing_orders.resume(order=order, member=ada, by=by).state == "active"


def test_gift_of_ones_own(ada, by):
    gift = given(100, wallet(500, of=ada)).gift

    refused(gift_links.give_back, None, gift=gift, by=by)
    assert Gift.objects.get(pk=gift.pk).state == "open"
    assert gift_links.cancel(gift=gift, sender=ada, by=by).state == "cancelled"


def test_request_by_or_to_oneself(ada, by):
    for request in (asked(of=member(), by=ada), asked(of=ada, by=member())):
        refused(requests.cancel, None, request=request, by=by)
        assert MoneyRequest.objects.get(pk=request.pk).state == "open"


def test_limit_of_ones_own(ada, by):
    facts = {"kind": "any", "currency": "EUR", "measure": "amount", "period": "day", "cap": 100}
    limit = Limit.objects.create(member=ada, starts_at=EPOCH, set_by="test:1", **facts)

    refused(limit_rules.lower, limit=limit, cap=1, by=by)
    assert limit_rules.lower(limit=limit, cap=1, by=STAFF, reason="asked").cap == 1


def test_member_who_is_suspended_does_not_leave_as_staff(ada):
    members.suspend(member=ada, by=STAFF, reason="asked")

    refused(leaving.leave, member=ada, by=Actor("staff", str(ada.pk)))
    assert leaving.leave(member=ada, by=STAFF, reason="asked").state == "closed"


def test_staff_who_are_asked_to_pay_close_a_membership(ada, by):
    bo = member()
    request = asked(of=ada, by=bo)

    assert leaving.leave(member=bo, by=by, reason="died").state == "closed"
    assert MoneyRequest.objects.get(pk=request.pk).state == "cancelled"
