"""What is kept with account numbers: told to its member, kept while it is needed, and gone with an erasure."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cards.models import BankCredit, VirtualAccount
from cards.services import credit_decisions
from cards.services.credits_left import CreditsLeft
from members.models import Member
from members.services import privacy
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.vault import Secret
from tests.cards.banking import NOWHERE, bank, came, days, permanent, purpose
from tests.factories import cny
from tests.verified import clean
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import emptied, holds, wallet
from tests.wallets.saved import bank_account
from wallets.models import Wallet
from wallets.services import leaving

pytestmark = pytest.mark.django_db

PAYER = {"payer_name": "Bo Li", "payer_account": "DE89370400440532013000", "note": "for dinner"}


def erased(who: Member) -> None:
    leaving.leave(member=who, by=SYSTEM, reason="moving")
    decide(privacy.erase(member=who, by=staff(), reason="asked for"))


def test_export_tells_of_numbers_and_of_what_came():
    purse = wallet()
    linked = bank_account(of=purse.member, currency="CNY", verified=True)
    account = purpose(purse, 60_00, label="dinner", payer=Secret("Bo Li"), over="aside", linked=linked)
    came(account, 75_00, **PAYER)

    told = privacy.export(member=purse.member, by=Actor.of(purse.member.user))

    [number], [credit] = told["account numbers"], told["credits by banks"]
    assert (number["number"], number["expected"], number["came"], number["payer"], number["purpose"]) == (
        account.number,
        "60.00 CNY",
        "60.00 CNY",
        "Bo Li",
        "paid",
    )
    assert (number["label"], number["linked to"], [each["purpose"] for each in number["events"]]) == (
        "dinner",
        "DE ···· 3000",
        ["open", "paid"],
    )
    assert (credit["payer"], credit["payer's account"], credit["note"], credit["set aside"]) == (
        "Bo Li",
        "DE89370400440532013000",
        "for dinner",
        "15.00 CNY",
    )


def test_nothing_is_told_of_what_came_for_others():
    came(permanent(wallet()), 75_00, **PAYER)
    other = wallet().member

    told = privacy.export(member=other, by=Actor.of(other.user))

    assert (told["account numbers"], told["credits by banks"]) == ([], [])


def test_membership_ends_once_nothing_of_it_is_set_aside():
    purse = wallet()
    credit = came(purpose(purse, 60_00, over="aside"), 75_00)
    emptied(purse.member)

    with pytest.raises(CreditsLeft) as refusal:
        leaving.leave(member=purse.member, by=SYSTEM, reason="moving")
    assert str(cny(15_00)) in str(refusal.value)
    decide(credit_decisions.give_back(credit=credit, by=staff(), reason="too much"))
    leaving.leave(member=purse.member, by=SYSTEM, reason="moving")

    assert VirtualAccount.objects.get().state == "closed"
    assert clean()


def test_erasure_leaves_numbers_and_amounts_and_no_word_or_payer():
    purse = wallet()
    account = purpose(purse, 60_00, label="dinner", payer=Secret("Bo Li"))
    came(account, 60_00, "1", **PAYER)
    lost = came(NOWHERE, 5_00, "2", **PAYER)
    decide(credit_decisions.assign(credit=lost, member=purse.member, by=staff(), reason="hers"))
    stays = came(NOWHERE, 5_00, "3", **PAYER)
    emptied(purse.member)

    erased(purse.member)

    account.refresh_from_db()
    assert (account.label, account.payer, account.purpose, len(account.number)) == ("", None, "paid", 22)
    for credit in BankCredit.objects.exclude(pk=stays.pk):
        assert (credit.payer_name, credit.payer_account, credit.note) == (None, None, None)
    stays.refresh_from_db()
    assert stays.payer_name.decrypt().reveal() == "Bo Li"
    assert clean()


def test_payer_is_kept_as_long_as_something_may_have_to_be_sent_back():
    """Their number is closed with their membership; what comes to it afterwards waits for two people."""
    purse = wallet()
    account = permanent(purse)
    leaving.leave(member=purse.member, by=SYSTEM, reason="moving")
    credit = came(account, 5_00, **PAYER)

    with pytest.raises(CreditsLeft):
        decide(privacy.erase(member=purse.member, by=staff(), reason="asked for"))
    decide(credit_decisions.give_back(credit=credit, by=staff(), reason="she left"))
    decide(privacy.erase(member=purse.member, by=staff(), reason="asked for"))

    credit.refresh_from_db()
    assert (credit.payer_name, credit.outcome) == (None, "returned")
    assert clean()


def test_number_of_who_is_erased_is_nobodys():
    """What comes to it is kept with who paid, to be sent back, and with nobody else."""
    purse = wallet()
    account = permanent(purse)
    erased(purse.member)

    credit = came(account, 5_00, **PAYER)

    assert (credit.why, credit.account, credit.member) == ("unknown", None, None)
    assert credit.payer_name.decrypt().reveal() == "Bo Li"
    decide(credit_decisions.give_back(credit=credit, by=staff(), reason="she left"))
    assert clean()


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("bank_credit", *arguments, stdout=out)
    return out.getvalue().strip()


def test_bank_that_there_is_not_credits_a_number():
    purse = wallet()
    account = purpose(purse, 60_00, over="aside")
    spaced = f"{account.number[:4]} {account.number[4:]}"

    first = told(spaced, "75.50", "--reference", "s1", "--payer", "Bo Li", "--payer-account", "x1", "--note", "hi")
    again = told(account.number, "75.50", "--reference", "s1")

    assert first == again == "s1: 60.00 CNY on the wallet, 15.50 CNY set aside: it is more than was expected."
    assert holds(purse) == cny(60_00)
    credit = BankCredit.objects.get()
    assert [held.decrypt().reveal() for held in (credit.payer_name, credit.payer_account, credit.note)] == [
        "Bo Li",
        "x1",
        "hi",
    ]


def test_bank_that_there_is_not_says_day_currency_and_who_it_is():
    account = purpose(wallet(), 60_00, expires_on=days(3))
    bank("hill")

    assert told(account.number, "1", "--value-date", days(4).isoformat()).endswith("after the last day.")
    assert told(account.number, "1", "--currency", "USD").endswith("in another currency.")
    assert told(account.number, "1", "--bank", "hill").endswith("has that number.")
    assert Wallet.objects.get().currency == "CNY"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "--bank", "moon"), "Name the bank with --bank: harbour"),
        (("1.234", "--bank", "harbour"), "more decimals"),
        (("0", "--bank", "harbour"), "more than zero"),
    ],
)
def test_bank_that_there_is_not_says_what_is_wrong(arguments, said):
    bank()

    with pytest.raises(CommandError, match=said):
        told(NOWHERE, *arguments)
    assert not BankCredit.objects.exists()


def test_money_that_no_bank_has_comes_in_a_sandbox_alone(settings):
    bank()
    settings.SANDBOX = False

    with pytest.raises(CommandError, match="SANDBOX=1"):
        told(NOWHERE, "1")
