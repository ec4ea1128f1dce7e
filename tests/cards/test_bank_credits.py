"""What banks credit: once, into the right wallet, or set aside until two people decide."""

from datetime import timedelta

import pytest

from cards.models import BankCredit, VirtualAccount
from cards.services import account_life, purposes
from cards.services.bank_credits import BankReferenceMalformed, CreditDiffers
from cards.services.life import Channel
from members.models import Limit, Notice
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from tests.cards.banking import (
    NOWHERE,
    aside,
    at_bank,
    bank,
    blocked,
    came,
    days,
    full,
    numbers,
    permanent,
    purpose,
    purposes_of,
    sentences,
    set_aside,
)
from tests.factories import cny
from tests.verified import clean
from tests.wallets.deciding import unsaved
from tests.wallets.factories import holds, wallet
from wallets.queries import statements
from wallets.services import wallets
from wallets.services.wording import NothingToMove

pytestmark = pytest.mark.django_db


def facts(credit: BankCredit) -> tuple[str, str, Money, Money]:
    return credit.outcome, credit.why, credit.booked, credit.set_aside


def test_what_comes_is_in_the_wallet_that_the_number_leads_to():
    purse, _other = wallet(5_00), wallet()
    account = permanent(purse)

    credit = came(account, 10_00, payer_name="Bo Li", payer_account="DE89370400440532013000", note="rent of May")

    assert facts(credit) == ("credited", "", cny(10_00), cny(0))
    assert (credit.account, credit.member, holds(purse)) == (account, purse.member, cny(15_00))
    assert (at_bank(), set_aside()) == (cny(-10_00), cny(0))
    assert sentences(purse) == [f"10.00 CNY came to your account number ending in {account.number[-4:]}."]
    line = statements.lines(wallet=purse).lines[0]
    assert (line.words, line.counterparty, line.note) == (
        f"Bank transfer to the account number ending in {account.number[-4:]}",
        "Bo Li",
        "rent of May",
    )
    assert clean()


def test_number_is_read_however_it_is_written():
    account = permanent(wallet())
    spaced = " ".join(account.number[at : at + 4] for at in range(0, 22, 4))

    assert came(f" {spaced.lower()}-").account == account


def test_bank_reference_is_one_credit_for_ever():
    purse = wallet()
    account = permanent(purse)
    first = came(account, 10_00)
    account_life.close(account=account, by=Actor.of(purse.member.user), channel=Channel.WEB)

    assert came(account, 10_00, payer_name="as known later") == first
    with pytest.raises(CreditDiffers) as refusal:
        came(account, 10_01, value_date=days(-1))
    assert refusal.value.facts["fields"] == ["amount", "value_date"]
    with pytest.raises(CreditDiffers):
        came(NOWHERE, 10_00)
    assert (holds(purse), BankCredit.objects.count()) == (cny(10_00), 1)
    assert clean()


def test_two_banks_may_use_the_same_reference():
    purse = wallet()
    first = permanent(purse)
    second = permanent(purse, of=numbers(prefix="7777", bank=bank("hill")), reference="h")

    came(first, 1_00)
    came(second, 2_00)

    assert (holds(purse), at_bank(), at_bank(code="hill")) == (cny(3_00), cny(-1_00), cny(-2_00))
    assert clean()


@pytest.mark.parametrize("reference", ["", "x" * 141, "a\nb"])
def test_reference_that_is_none_is_refused(reference):
    with pytest.raises(BankReferenceMalformed):
        came(NOWHERE, 1, reference)


@pytest.mark.parametrize("minor", [0, -5])
def test_nothing_is_no_credit(minor):
    with pytest.raises(NothingToMove):
        came(NOWHERE, amount=cny(minor))


def test_suspended_member_and_frozen_wallet_keep_what_comes():
    purse, other = wallet(), wallet()
    first, second = permanent(purse), permanent(other)
    members.suspend(member=purse.member, by=SYSTEM, reason="doubt")
    wallets.freeze(wallet=other, by=SYSTEM, reason="doubt")

    came(first, 10_00, "1")
    came(second, 20_00, "2")

    assert (holds(purse), holds(other)) == (cny(10_00), cny(20_00))
    assert clean()


def unknown(account: VirtualAccount) -> str:
    del account
    return NOWHERE


def empty(account: VirtualAccount) -> str:
    del account
    return ""


def closed(account: VirtualAccount) -> str:
    account_life.close(account=account, by=SYSTEM, channel=Channel.ADMIN, reason="over")
    return account.number


def suspended(account: VirtualAccount) -> str:
    account_life.suspend(account=account, by=SYSTEM, reason="doubt")
    return account.number


@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (unknown, "unknown"),
        (empty, "unknown"),
        (closed, "closed"),
        (suspended, "suspended"),
        (blocked, "wallet"),
        (full, "room"),
    ],
)
def test_what_cannot_be_on_a_wallet_is_set_aside_for_a_person(happened, why):
    purse = wallet()
    number = happened(permanent(purse))

    credit = came(number, 10_00, bank=bank())

    assert facts(credit) == ("suspended", why, cny(0), cny(10_00))
    assert (holds(purse), set_aside(), at_bank()) == (cny(0), cny(10_00), cny(-10_00))
    assert (aside(credit), credit.member) == (True, None if why == "unknown" else purse.member)
    assert clean()


def test_where_no_limit_says_how_much_may_be_held_nothing_may(unprotected):
    """As for everything else that limits allow."""
    account = permanent(wallet())
    with unprotected():
        Limit.objects.filter(currency="CNY", measure="balance").delete()

    assert facts(came(account))[:2] == ("suspended", "room")


def test_number_of_another_bank_is_unknown_to_this_one():
    account = permanent(wallet())

    assert came(account.number, bank=bank("hill")).why == "unknown"
    assert clean()


def test_another_currency_is_set_aside_in_that_currency():
    purse = wallet()
    account = permanent(purse)

    credit = came(account, amount=Money(7_00, "USD"))

    assert facts(credit) == ("suspended", "currency", Money(0, "USD"), Money(7_00, "USD"))
    assert (holds(purse), set_aside("USD")) == (cny(0), Money(7_00, "USD"))
    assert sentences(purse)[0].startswith("7.00 USD for your account number")
    assert clean()


def test_purpose_is_served_part_by_part():
    purse = wallet()
    account = purpose(purse, 100_00)

    came(account, 40_00, "1")
    assert purposes_of(account) == ("part_paid", cny(40_00))
    came(account, 60_00, "2")
    assert purposes_of(account) == ("paid", cny(100_00))
    came(account, 1, "3")
    assert purposes_of(account) == ("overpaid", cny(100_01))

    last = account.number[-4:]
    assert sentences(purse) == [
        f"40.00 CNY came to your account number ending in {last}: 40.00 CNY of 100.00 CNY is there now.",
        f"60.00 CNY came to your account number ending in {last}: 100.00 CNY of 100.00 CNY is there now.",
        f"0.01 CNY came to your account number ending in {last}: 100.01 CNY, more than the 100.00 CNY that you expect.",
    ]
    assert [event.purpose for event in account.events.order_by("pk")] == ["open", "part_paid", "paid", "overpaid"]
    assert holds(purse) == cny(100_01)
    assert clean()


def test_what_is_more_is_set_aside_where_that_was_chosen():
    purse = wallet()
    account = purpose(purse, 100_00, over="aside")

    first = came(account, 130_00, "1")
    second = came(account, 5_00, "2")

    assert facts(first) == ("suspended", "over", cny(100_00), cny(30_00))
    assert facts(second) == ("suspended", "over", cny(0), cny(5_00))
    assert (purposes_of(account), holds(purse), set_aside()) == (("paid", cny(100_00)), cny(100_00), cny(35_00))
    assert clean()


def test_what_came_in_time_counts_and_what_came_late_is_set_aside():
    purse = wallet()
    account = purpose(purse, 100_00, expires_on=days(1))
    came(account, 40_00, "1")
    last = account.expires_on

    assert purposes.expire_due(now=clock.now()) == 0
    assert purposes.expire(account=account, today=days(2))
    assert purposes_of(account) == ("expired", cny(40_00))
    assert not purposes.expire(account=account, today=days(2))

    assert facts(came(account, 20_00, "2", value_date=days(2))) == ("suspended", "expired", cny(0), cny(20_00))
    came(account, 10_00, "3", value_date=last)
    assert purposes_of(account) == ("expired", cny(50_00))
    came(account, 50_00, "4", value_date=last)
    assert (purposes_of(account), holds(purse)) == (("paid", cny(100_00)), cny(100_00))
    assert Notice.objects.filter(kind="virtual_account_expired").count() == 1


def test_purposes_expire_the_night_after_their_last_day():
    purse = wallet()
    kept, closed = purpose(purse, expires_on=days(3)), purpose(purse, reference="c", expires_on=days(3))
    lasting, served = purpose(purse, reference="l"), purpose(purse, 1_00, reference="s", expires_on=days(3))
    account_life.close(account=closed, by=SYSTEM, channel=Channel.ADMIN, reason="over")
    came(served, 1_00)
    last = clock.now() + timedelta(days=3)

    done = [purposes.expire_due(now=last + timedelta(days=day)) for day in range(3)]

    assert done == [0, 2, 0]
    states = dict(VirtualAccount.objects.values_list("pk", "purpose"))
    assert states == {kept.pk: "expired", closed.pk: "expired", lasting.pk: "open", served.pk: "paid"}
    # Of a number that is closed there is nothing to say.
    assert Notice.objects.filter(kind="virtual_account_expired").count() == 1


def test_purpose_that_cannot_expire_keeps_no_other_from_it():
    broken, whole = (purpose(wallet(), expires_on=days(3)) for _ in range(2))
    later = clock.now() + timedelta(days=4)

    with unsaved(broken):
        assert purposes.expire_due(now=later) == 1
    assert [purposes_of(each)[0] for each in (broken, whole)] == ["open", "expired"]
    assert OpenItem.objects.open().about(broken).get().kind == purposes.STUCK

    assert (purposes.expire_due(now=later), OpenItem.objects.open().count(), clean()) == (1, 0, True)


def test_served_purpose_does_not_expire():
    account = purpose(wallet(), 10_00, expires_on=days(0))
    came(account, 10_00)

    assert not purposes.expire(account=account, today=days(1))
    assert purposes_of(account) == ("paid", cny(10_00))
