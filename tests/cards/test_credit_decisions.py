"""What two people decide about credits that are set aside: put on a wallet or sent back, once."""

import pytest

from cards.models import BankCredit, VirtualAccount
from cards.services import account_life, bank_bookings, credit_decisions
from cards.services.credit_decisions import CreditDoesNotFit, CreditSettled, WalletTakesNothing
from members.models import Member, Notice
from members.services import notices
from members.services.limits import BalanceLimitExceeded
from members.services.members import MemberClosed
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.models import Approval, OpenItem
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal
from tests.cards.banking import (
    NOWHERE,
    aside,
    at_bank,
    blocked,
    came,
    days,
    full,
    permanent,
    purpose,
    purposes_of,
    sentences,
    set_aside,
)
from tests.factories import cny
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import holds, wallet
from wallets.models import Wallet
from wallets.queries import statements
from wallets.services import leaving

pytestmark = pytest.mark.django_db


def assigned(credit: BankCredit, purse: Wallet, account: VirtualAccount | None = None) -> None:
    found_out = {"member": purse.member, "account": account, "reason": "found out whose it is"}
    decide(credit_decisions.assign(credit=credit, by=staff(), **found_out))
    credit.refresh_from_db()


def given_back(credit: BankCredit) -> None:
    decide(credit_decisions.give_back(credit=credit, by=staff(), reason="nobody's"))
    credit.refresh_from_db()


def test_two_people_assign_what_is_set_aside():
    purse = wallet()
    credit = came(NOWHERE, 10_00)

    assigned(credit, purse)

    assert (credit.outcome, credit.assigned_to, holds(purse), set_aside()) == ("assigned", purse, cny(10_00), cny(0))
    assert not aside(credit)
    [notice] = Notice.objects.of(purse.member)
    assert notices.sentence(notice) == "10.00 CNY that was set aside is in your wallet now."
    assert [line.words for line in statements.lines(wallet=purse).lines] == ["Bank transfer"]
    assert clean()


def test_what_is_assigned_counts_for_the_purpose_that_is_named():
    purse = wallet()
    account = purpose(purse, 100_00, expires_on=days(0), over="aside")
    came(account, 40_00, "1")
    late = came(account, 70_00, "2", value_date=days(1))

    assigned(late, purse, account)

    assert (purposes_of(account), holds(purse), late.counted_for) == (("overpaid", cny(110_00)), cny(110_00), account)
    assert clean()


def test_what_came_for_somebody_else_is_told_without_their_number():
    purse = wallet()
    account = permanent(wallet())
    account_life.suspend(account=account, by=SYSTEM, reason="doubt")

    assigned(came(account, 10_00), purse)

    assert [line.words for line in statements.lines(wallet=purse).lines] == ["Bank transfer"]
    assert clean()


def test_what_is_assigned_opens_a_wallet_where_there_is_none():
    purse = wallet()
    credit = came(permanent(purse), amount=Money(7_00, "USD"))

    assigned(credit, purse)

    dollars = Wallet.objects.get(member=purse.member, currency="USD")
    assert (credit.assigned_to, holds(dollars), set_aside("USD")) == (dollars, Money(7_00, "USD"), Money(0, "USD"))
    assert clean()


def test_what_is_assigned_fits_the_member_the_account_and_the_wallet():
    purse, other = wallet(), wallet()
    account, by = purpose(purse), staff()
    credit, dollars = came(NOWHERE, 10_00), came(NOWHERE, reference="d", amount=Money(1, "USD"))

    def assign(member: Member, of: BankCredit = credit, **more: VirtualAccount) -> Approval:
        return credit_decisions.assign(credit=of, member=member, by=by, reason="so", **more)

    with pytest.raises(CreditDoesNotFit):
        assign(other.member, account=account)
    with pytest.raises(CreditDoesNotFit):
        assign(purse.member, of=dollars, account=account)
    blocked(permanent(other))
    with pytest.raises(WalletTakesNothing):
        assign(other.member)
    full(account)
    with pytest.raises(BalanceLimitExceeded):
        assign(purse.member)
    left = leaving.leave(member=wallet().member, by=SYSTEM, reason="moving")
    with pytest.raises(MemberClosed):
        assign(left)

    assert (credit.outcome, set_aside(), Approval.objects.count()) == ("suspended", cny(10_00), 0)


def test_two_people_send_back_what_is_set_aside():
    purse = wallet()
    account = purpose(purse, 100_00, over="aside")
    credit = came(account, 130_00)

    given_back(credit)

    assert (credit.outcome, holds(purse), set_aside(), at_bank()) == ("returned", cny(100_00), cny(0), cny(-100_00))
    assert sentences(purse)[-1] == "30.00 CNY that was set aside for you goes back to who paid it."
    assert not aside(credit)
    assert clean()


def test_what_is_decided_is_decided_once():
    purse = wallet()
    credit = came(NOWHERE, 10_00)
    assign = credit_decisions.assign(credit=credit, member=purse.member, by=staff(), reason="hers")
    back = credit_decisions.give_back(credit=credit, by=staff(), reason="nobody's")
    decide(assign)

    with pytest.raises(CreditSettled):
        decide(back)
    with pytest.raises(CreditSettled):
        credit_decisions.give_back(credit=credit, by=staff(), reason="x")
    booked = came(permanent(wallet()), 1, "2")
    with pytest.raises(CreditSettled):
        credit_decisions.assign(credit=booked, member=purse.member, by=staff(), reason="x")
    assert (holds(purse), set_aside()) == (cny(10_00), cny(0))
    assert Journal.objects.filter(scope=bank_bookings.SETTLED).count() == 1
    assert clean()


def test_refused_credit_leaves_nothing_behind():
    came(NOWHERE, 10_00)

    for minor in (0, 10_01):
        with pytest.raises(DomainError):
            came(NOWHERE, minor)
    assert (BankCredit.objects.count(), set_aside(), OpenItem.objects.count()) == (1, cny(10_00), 1)
