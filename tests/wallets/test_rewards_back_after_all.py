"""A reward that cannot be taken back today is taken back another day: nothing of the refusal stays."""

import pytest

from members.models import Member
from members.services import points, rewards
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.services import approvals
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from paymentsite.ledger.refusals import AccountNotOpen, InsufficientFunds
from tests.factories import fund
from tests.members.catalogue import goods
from tests.members.factories import member, superuser
from tests.wallets.deciding import clean
from tests.wallets.factories import emptied
from tests.wallets.test_reward_credit import five_yuan, purse_of, redeem

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


@pytest.fixture
def ada() -> Member:
    made = member()
    fund(points.of(made).points, 250, ledger.Terms("test"))
    return made


def test_goods_once_the_account_of_points_is_open_again(ada):
    mug, account = redeem(ada, goods()), points.of(ada).points
    ledger.set_status(account=account, status=Balance.Status.FROZEN, by=SYSTEM, reason="test")
    with pytest.raises(AccountNotOpen):
        rewards.cancel(redemption=mug, by=STAFF, reason="mistake")
    ledger.set_status(account=account, status=Balance.Status.OPEN, by=SYSTEM, reason="test")

    assert rewards.cancel(redemption=mug, by=STAFF, reason="mistake").state == "cancelled"
    assert clean()


def test_money_once_there_is_enough_again(ada):
    spent = redeem(ada, five_yuan())
    proposal = rewards.take_back(redemption=spent, by=Actor("staff", "999999"), reason="mistake")
    emptied(ada)
    second = Actor.of(superuser("second@example.com"))
    with pytest.raises(InsufficientFunds):
        approvals.approve(approval=proposal, by=second, shown=proposal.shown)
    fund(purse_of(ada).account, 50_00)

    approvals.approve(approval=proposal, by=second, shown=proposal.shown)
    spent.refresh_from_db()
    assert (spent.state, clean()) == ("cancelled", True)
