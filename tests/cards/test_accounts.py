"""Account numbers: who may have which, what becomes of them, and what they lead to."""

import pytest

from cards.models import VirtualAccount, VirtualAccountEvent
from cards.services import account_life, accounts, banks
from cards.services.account_life import NoSuchVirtualAccount, VirtualAccountClosed
from cards.services.accounts import (
    LastDayOver,
    NotLinked,
    PayerTooLong,
    PermanentHeld,
    RangeNotOffered,
    TooManyVirtualAccounts,
    VirtualAccountReferenceTaken,
)
from cards.services.life import Channel, ReasonMissing
from members.models import Notice
from members.services import members, notices
from members.services.members import MemberSuspended
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.cards.banking import days, numbers, permanent, purpose
from tests.factories import cny
from tests.members.factories import member
from tests.verified import clean
from tests.wallets import gateways
from tests.wallets.factories import wallet
from tests.wallets.saved import bank_account
from wallets.models import Withdrawal
from wallets.services import instruments, wallets
from wallets.services.bank_accounts import AccountNotVerified
from wallets.services.instruments import NoSuchInstrument
from wallets.services.payees import AccountCurrency
from wallets.services.wording import NothingToMove

pytestmark = pytest.mark.django_db


def by(account: VirtualAccount) -> Actor:
    return Actor.of(account.member.user)


def told(account: VirtualAccount) -> list[str]:
    return list(Notice.objects.of(account.member).order_by("pk").values_list("kind", flat=True))


def test_number_leads_into_a_wallet_for_good():
    purse = wallet()

    found = permanent(purse, label="  salary ")

    assert (found.kind, found.state, found.purpose, found.currency) == ("permanent", "open", "", "CNY")
    assert (found.wallet, found.member, found.label, found.expected) == (purse, purse.member, "salary", None)
    [event] = VirtualAccountEvent.objects.all()
    assert (event.before, event.after, event.channel, event.actor) == ("", "open", "web", str(by(found)))
    assert told(found) == ["virtual_account_opened"]
    assert notices.sentence(Notice.objects.get()) == f"You have a new account number, ending in {found.number[-4:]}."
    assert clean()


def test_purpose_says_how_much_is_expected_until_when_by_whom():
    found = purpose(wallet(), 250_00, expires_on=days(0), payer=Secret("  Bo   Li "), over="aside")

    assert (found.kind, found.purpose, found.expected, found.paid) == ("purpose", "open", cny(250_00), cny(0))
    assert (found.over, found.expires_on, found.payer.decrypt().reveal()) == ("aside", days(0), "Bo Li")
    assert clean()


def test_reference_is_one_account_and_another_one_is_a_conflict_that_names_the_fields():
    purse = wallet()
    first = purpose(purse, 100_00)

    assert purpose(purse, 100_00) == first
    with pytest.raises(VirtualAccountReferenceTaken) as refusal:
        purpose(purse, 100_01, over="aside", expires_on=days(3))
    assert refusal.value.facts["fields"] == ["expected_minor", "expires_on", "over"]
    with pytest.raises(VirtualAccountReferenceTaken):
        permanent(purse, reference="i")
    assert VirtualAccount.objects.count() == 1


def test_wallet_has_one_number_for_good_of_a_range_until_it_is_closed():
    purse = wallet()
    first = permanent(purse)

    with pytest.raises(PermanentHeld):
        permanent(purse, reference="q")
    other = permanent(purse, of=numbers(prefix="7777"), reference="r")
    account_life.close(account=first, by=by(first), channel=Channel.WEB)
    again = permanent(purse, reference="q")

    assert len({first.number, other.number, again.number}) == 3
    assert clean()


def test_range_is_of_the_wallets_currency_and_open():
    purse, dollars = wallet(), numbers(prefix="7777", currency="USD")
    ours = numbers()

    with pytest.raises(RangeNotOffered):
        permanent(purse, of=dollars)
    with pytest.raises(RangeNotOffered):
        accounts.open_for_purpose(
            wallet=purse,
            numbers=ours,
            expected=accounts.Expected(Money(1, "USD")),
            reference="r",
            by=SYSTEM,
            channel=Channel.ADMIN,
        )
    banks.close_range(numbers=ours, by=SYSTEM, reason="full soon")
    with pytest.raises(RangeNotOffered):
        permanent(purse)
    assert not VirtualAccount.objects.exists()


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"minor": 0}, NothingToMove),
        ({"minor": -1}, NothingToMove),
        ({"expires_on": -1}, LastDayOver),
        ({"payer": Secret("x" * 141)}, PayerTooLong),
    ],
)
def test_purpose_that_cannot_be_is_refused(terms, refusal):
    if "expires_on" in terms:
        terms = {"expires_on": days(terms["expires_on"])}

    with pytest.raises(refusal):
        purpose(wallet(), **{"minor": 1_00, **terms})
    assert not VirtualAccount.objects.exists()


def test_no_more_are_held_than_may_be_and_those_that_are_served_do_not_count():
    purse, few = wallet(), numbers(held_max=2)
    first, second = purpose(purse, reference="1"), purpose(purse, reference="2")

    with pytest.raises(TooManyVirtualAccounts):
        purpose(purse, reference="3")
    VirtualAccount.objects.filter(pk=first.pk).update(purpose="paid", paid_minor=first.expected_minor)
    third = purpose(purse, reference="3")
    account_life.close(account=second, by=by(second), channel=Channel.WEB)
    fourth = purpose(purse, reference="4")

    assert {third.numbers, fourth.numbers} == {few}


def test_suspended_member_opens_and_closes_none_and_a_closed_wallet_has_none():
    purse, other = wallet(), wallet()
    found = permanent(other)
    wallets.close(wallet=purse, by=SYSTEM, reason="empty")
    with pytest.raises(wallets.WalletClosed):
        permanent(purse)
    members.suspend(member=other.member, by=SYSTEM, reason="doubt")
    for work in (
        lambda: purpose(other),
        lambda: account_life.close(account=found, by=by(found), channel=Channel.WEB),
    ):
        with pytest.raises(MemberSuspended):
            work()
    assert VirtualAccount.objects.get().state == "open"


def test_frozen_wallet_has_numbers_for_money_comes_in():
    purse = wallet()
    wallets.freeze(wallet=purse, by=SYSTEM, reason="doubt")

    assert permanent(purse).state == "open"


def test_nobody_elses_account_is_found():
    found = permanent(wallet())

    assert account_life.of(member=found.member, public_id=found.public_id) == found
    with pytest.raises(NoSuchVirtualAccount):
        account_life.of(member=member(), public_id=found.public_id)


def test_account_is_suspended_reopened_and_closed_with_reasons_and_its_member_is_told():
    found = permanent(wallet())

    account_life.suspend(account=found, by=SYSTEM, reason="doubt")
    account_life.suspend(account=found, by=SYSTEM, reason="doubt")
    account_life.reopen(account=found, by=SYSTEM, reason="clear")
    account_life.close(account=found, by=SYSTEM, channel=Channel.ADMIN, reason="asked for")
    account_life.close(account=found, by=SYSTEM, channel=Channel.ADMIN, reason="asked for")

    steps = VirtualAccountEvent.objects.order_by("pk").values_list("before", "after", "reason")
    assert list(steps) == [
        ("", "open", ""),
        ("open", "suspended", "doubt"),
        ("suspended", "open", "clear"),
        ("open", "closed", "asked for"),
    ]
    assert told(found) == [
        "virtual_account_opened",
        "virtual_account_suspended",
        "virtual_account_reopened",
        "virtual_account_closed",
    ]
    assert clean()


def test_closed_account_becomes_nothing_else_and_staff_say_why():
    found = permanent(wallet())
    with pytest.raises(ReasonMissing):
        account_life.suspend(account=found, by=SYSTEM, reason=" ")
    with pytest.raises(ReasonMissing):
        account_life.close(account=found, by=SYSTEM, channel=Channel.ADMIN)
    account_life.close(account=found, by=by(found), channel=Channel.WEB)

    for work in (account_life.suspend, account_life.reopen):
        with pytest.raises(VirtualAccountClosed):
            work(account=found, by=SYSTEM, reason="x")
    with pytest.raises(VirtualAccountClosed):
        accounts.link(account=found, instrument=None, by=by(found))


def test_member_who_works_here_does_not_reopen_their_own():
    found = permanent(wallet())
    account_life.suspend(account=found, by=SYSTEM, reason="doubt")

    with pytest.raises(OwnMatter):
        account_life.reopen(account=found, by=Actor("staff", str(found.member_id)), reason="mine")


def test_accounts_are_closed_with_their_wallet():
    purse, other = wallet(), wallet()
    ours, theirs = [permanent(purse), purpose(purse)], permanent(other)
    account_life.suspend(account=ours[0], by=SYSTEM, reason="doubt")

    wallets.close(wallet=purse, by=Actor.of(purse.member.user), reason="not needed")

    states = {each.pk: each.state for each in VirtualAccount.objects.all()}
    assert states == {ours[0].pk: "closed", ours[1].pk: "closed", theirs.pk: "open"}
    assert clean()


def test_what_ends_with_a_wallet_is_registered_once():
    with pytest.raises(TypeError, match="virtual accounts ends with a wallet already"):
        wallets.ends("virtual accounts")(account_life.end_all)


def test_account_is_linked_to_a_verified_bank_account_of_its_member_in_its_currency():
    purse, euros = wallet(), {"country": "", "currency": "EUR", "prefix": "7777"}
    mine = bank_account(of=purse.member, currency="CNY", verified=True)
    doubtful = bank_account(of=purse.member, currency="CNY", number="GB82 WEST 1234 5698 7654 32")
    foreign = bank_account(of=purse.member, verified=True)
    strange = bank_account(of=member(), currency="CNY", verified=True)

    found = permanent(purse, linked=mine)

    assert found.linked == mine
    for wrong, refusal in ((doubtful, AccountNotVerified), (foreign, AccountCurrency), (strange, NoSuchInstrument)):
        with pytest.raises(refusal):
            accounts.link(account=found, instrument=wrong, by=by(found))
    for _ in range(2):
        assert accounts.link(account=found, instrument=None, by=by(found)).linked is None
    assert accounts.link(account=found, instrument=mine, by=by(found)).linked == mine
    assert AuditEntry.objects.filter(act="account_link.changed").count() == 2
    other = wallet(of=purse.member, currency="EUR")
    assert permanent(other, of=numbers(**euros), reference="e", linked=foreign).linked == foreign
    assert clean()


def test_withdrawal_goes_to_the_linked_account(tmp_path):
    purse = gateways.wallet(100_00)
    mine = bank_account(of=purse.member, verified=True)
    found = permanent(purse)

    def withdraw(reference: str = "w") -> Withdrawal:
        return accounts.withdraw(
            account=found, amount=gateways.eur(10_00), reference=reference, by=by(found), pin=gateways.PIN
        )

    with gateways.sandboxes(tmp_path, "sandbox"):
        gateways.route("payout")
        with pytest.raises(NotLinked):
            withdraw()
        accounts.link(account=found, instrument=mine, by=by(found))
        order = withdraw()
        assert (withdraw(), Withdrawal.objects.get()) == (order, order)
        assert (order.instrument, order.wallet, order.state) == (str(mine.public_id), purse, "succeeded")
        instruments.remove(instrument=mine, by=by(found))
        with pytest.raises(NoSuchInstrument):
            withdraw("v")
        account_life.close(account=found, by=by(found), channel=Channel.WEB)
        with pytest.raises(VirtualAccountClosed):
            withdraw()
