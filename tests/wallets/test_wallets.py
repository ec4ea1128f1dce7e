"""Wallets: opening, freezing, closing."""

import pytest

from members.services import members
from members.services.members import MemberClosed, MemberSuspended
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.money import AmountOutOfRange, Money, UnknownUnit
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import AccountNotOpen
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.factories import holds, wallet
from wallets.models import Wallet
from wallets.services import wallets
from wallets.services.wallets import NoCurrency, NoSuchWallet, WalletClosed, WalletFrozen, WalletNotEmpty
from wallets.services.wording import checked_amount

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def test_wallet_opened_twice_is_one_wallet():
    ada = member()

    first, second = (
        wallets.open(member=ada, currency="CNY", by=SYSTEM),
        wallets.open(member=ada, currency="CNY", by=SYSTEM),
    )

    assert first == second
    assert (first.account.owner, first.account.code, first.account.unit) == (ada.owner, "wallet", "CNY")


@pytest.mark.parametrize("unit", ["PTS", "QPT"])
def test_no_wallet_in_what_is_no_currency(unit):
    with pytest.raises(NoCurrency):
        wallets.open(member=member(), currency=unit, by=SYSTEM)


def test_closed_member_opens_no_wallet():
    ada = member()
    members.close(member=ada, by=STAFF, reason="gone")

    with pytest.raises(MemberClosed):
        wallets.open(member=ada, currency="CNY", by=SYSTEM)


def test_wallet_of_somebody_else_is_not_found():
    wallet(of=member())

    with pytest.raises(NoSuchWallet):
        wallets.of(member=member(), currency="CNY")


def test_frozen_wallet_keeps_what_comes_and_lets_nothing_out():
    purse = wallet(500)
    frozen = wallets.freeze(wallet=purse, by=STAFF, reason="asked")

    with pytest.raises(WalletFrozen):
        wallets.check_open(frozen)
    fund(purse.account, 100)
    with pytest.raises(AccountNotOpen):
        ledger.post(ledger.Move(Money(1, "CNY"), purse.account, ledger.house("cash", "CNY")), reference="out")
    assert holds(purse) == Money(600, "CNY")
    assert wallets.thaw(wallet=purse, by=STAFF, reason="cleared up").state == "open"


def test_wallet_with_something_in_it_stays():
    purse = wallet(1)

    with pytest.raises(WalletNotEmpty):
        wallets.close(wallet=purse, by=STAFF, reason="x")

    assert Wallet.objects.get().state == "open"


def test_closed_wallet_stays_closed_and_another_can_be_opened():
    purse = wallet()
    closed = wallets.close(wallet=purse, by=STAFF, reason="not needed")

    with pytest.raises(WalletClosed):
        wallets.thaw(wallet=closed, by=STAFF, reason="x")
    with pytest.raises(WalletClosed):
        wallets.check_open(closed)
    again = wallets.open(member=purse.member, currency="CNY", by=SYSTEM)
    assert (again.pk != purse.pk, again.account.code) == (True, "wallet 2")
    assert wallets.of(member=purse.member, currency="CNY") == again


def frozen(purse: Wallet) -> Wallet:
    return wallets.freeze(wallet=purse, by=STAFF, reason="doubt")


def test_frozen_wallet_is_closed_by_staff_alone_and_by_none_of_them_their_own():
    purse = frozen(wallet())
    own = Actor.of(purse.member.user)

    with pytest.raises(WalletFrozen):
        wallets.close(wallet=purse, by=own, reason="begin anew")
    with pytest.raises(OwnMatter):
        wallets.close(wallet=purse, by=Actor("staff", own.key), reason="begin anew")

    purse.refresh_from_db()
    assert purse.state == "frozen"
    assert wallets.close(wallet=purse, by=STAFF, reason="over").state == "closed"


@pytest.mark.parametrize("status", ["frozen", "no_debit"])
@pytest.mark.parametrize("deed", [wallets.freeze, wallets.close])
@pytest.mark.parametrize("whose", ["theirs", "staff"])
def test_what_the_ledger_holds_fast_is_neither_loosened_nor_left_behind(status, deed, whose):
    purse = wallet()
    ledger.set_status(account=purse.account, status=status, by=STAFF, reason="court order")

    with pytest.raises(AccountNotOpen):
        deed(wallet=purse, by=Actor.of(purse.member.user) if whose == "theirs" else STAFF, reason="x")

    purse.refresh_from_db()
    assert (purse.state, books.standing(purse.account).status) == ("open", status)


def test_what_the_ledger_made_stricter_meanwhile_is_not_thawed():
    purse = frozen(wallet())
    ledger.set_status(account=purse.account, status="frozen", by=STAFF, reason="court order")

    with pytest.raises(AccountNotOpen):
        wallets.thaw(wallet=purse, by=STAFF, reason="x")

    assert books.standing(purse.account).status == "frozen"
    ledger.set_status(account=purse.account, status="no_debit", by=STAFF, reason="over")
    assert wallets.thaw(wallet=purse, by=STAFF, reason="x").state == "open"
    assert books.standing(purse.account).status == "open"


def test_suspended_member_freezes_and_neither_opens_nor_closes():
    purse = wallet()
    own = Actor.of(purse.member.user)
    members.suspend(member=purse.member, by=SYSTEM, reason="doubt")

    with pytest.raises(MemberSuspended):
        wallets.open(member=purse.member, currency="EUR", by=own)
    with pytest.raises(MemberSuspended):
        wallets.close(wallet=purse, by=own, reason="x")
    assert wallets.freeze(wallet=purse, by=own, reason="x").state == "frozen"
    assert wallets.open(member=purse.member, currency="EUR", by=SYSTEM).state == "open"


@pytest.mark.parametrize(
    ("amount", "refusal"), [(Money(10**30, "CNY"), AmountOutOfRange), (Money(5, "XXX"), UnknownUnit)]
)
def test_amount_that_no_books_can_hold_is_refused(amount, refusal):
    with pytest.raises(refusal):
        checked_amount(amount)
