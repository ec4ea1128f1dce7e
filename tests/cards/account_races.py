"""What banks tell, members ask for and staff decide at the same moment, and what must come of it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from cards.models import AccountRange, BankCredit, VirtualAccount
from cards.services import account_life, credit_decisions
from cards.services.account_numbers import AccountNumbersExhausted
from cards.services.life import Channel
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from tests import tables
from tests.cards.banking import NOWHERE, at_bank, bank, came, numbers, permanent, purpose, set_aside
from tests.factories import cny
from tests.members.limiting import cap
from tests.wallets.deciding import staff
from tests.wallets.factories import holds, wallet

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def kinds(results: list[Any]) -> Counter[str]:
    return Counter(type(each).__name__ for each in results)


def clean() -> bool:
    return verification.discover().run(only=["cards", "ledger"]).findings == []


def opened() -> None:
    """The accounts that all postings touch are there: who opens them keeps the others waiting."""
    at_bank()
    set_aside()


def one_bank_reference(together: Together, count: int) -> None:
    """The same credit told many times at once is one credit, for everybody who tells."""
    tables.empty()
    purse = wallet()
    account = permanent(purse)
    opened()

    results = together(count, lambda _number: came(account, 10_00))

    assert [{getattr(each, "pk", each)} for each in results] == [
        set(BankCredit.objects.values_list("pk", flat=True))
    ] * count
    assert (holds(purse), at_bank(), clean()) == (cny(10_00), cny(-10_00), True)


def one_bank_reference_to_nobody(together: Together, count: int) -> None:
    """The same where no member can be locked: the number leads to none."""
    tables.empty()
    bank()
    opened()

    results = together(count, lambda _number: came(NOWHERE, 10_00))

    assert [{getattr(each, "pk", each)} for each in results] == [
        set(BankCredit.objects.values_list("pk", flat=True))
    ] * count
    assert (set_aside(), OpenItem.objects.count(), clean()) == (cny(10_00), 1, True)


def one_reference_for_two_members(together: Together, count: int) -> None:
    """One reference told for two numbers at once: one of them has the money, the other is a conflict."""
    tables.empty()
    purses = [wallet(), wallet()]
    accounts = [permanent(purse) for purse in purses]
    opened()

    results = together(count, lambda number: came(accounts[number % 2], 10_00))

    assert kinds(results) == {"BankCredit": count // 2, "CreditDiffers": count // 2}
    assert sum(holds(purse).minor for purse in purses) == 10_00
    assert (BankCredit.objects.count(), clean()) == (1, True)


def credits_to_one_purpose(together: Together, count: int) -> None:
    """Many credits for one purpose at once: what is expected is on the wallet, the rest aside, and each counts once."""
    tables.empty()
    purse = wallet()
    account = purpose(purse, 15_00, over="aside")
    opened()

    results = together(count, lambda number: came(account, 10_00, f"b{number}"))

    assert kinds(results) == {"BankCredit": count}
    account.refresh_from_db()
    assert (account.purpose, account.paid) == ("paid", cny(15_00))
    assert (holds(purse), set_aside()) == (cny(15_00), cny(count * 10_00 - 15_00))
    assert clean()


def assigned_or_returned(together: Together, count: int) -> None:
    """Two people may both be right about a credit; it ends one way, once."""
    tables.empty()
    purse = wallet()
    credit = came(NOWHERE, 10_00)
    proposer, deciders = staff(), [staff() for _ in range(count)]
    proposals = [
        credit_decisions.assign(credit=credit, member=purse.member, by=proposer, reason="hers")
        if number % 2
        else credit_decisions.give_back(credit=credit, by=proposer, reason="nobody's")
        for number in range(count)
    ]

    def decide(number: int) -> Any:
        proposal = proposals[number]
        return approvals.approve(approval=proposal, by=deciders[number], shown=proposal.shown)

    results = together(count, decide)

    assert kinds(results) == Counter({"Approval": 1, "CreditSettled": count - 1})
    credit.refresh_from_db()
    expected = {"assigned": (cny(10_00), cny(-10_00)), "returned": (cny(0), cny(0))}
    assert (holds(purse), at_bank()) == expected[credit.outcome]
    assert (set_aside(), clean()) == (cny(0), True)


def one_state(together: Together, count: int) -> None:
    """Suspended, reopened and closed while credits come: each change begins where the one before ended."""
    tables.empty()
    purse = wallet()
    account = permanent(purse)
    opened()
    acts: list[Callable[[int], Any]] = [
        lambda _number: account_life.suspend(account=account, by=SYSTEM, reason="doubt"),
        lambda number: came(account, 1_00, f"b{number}"),
        lambda _number: account_life.reopen(account=account, by=SYSTEM, reason="clear"),
        lambda number: came(account, 1_00, f"b{number}"),
        lambda _number: account_life.close(account=account, by=SYSTEM, channel=Channel.ADMIN, reason="over"),
        lambda number: came(account, 1_00, f"b{number}"),
    ]

    results = together(count, lambda number: acts[number % len(acts)](number))

    assert not [each for each in results if isinstance(each, Exception) and not hasattr(each, "code")], results
    told = sum(1 for each in results if isinstance(each, BankCredit))
    assert holds(purse) + set_aside() == cny(told * 1_00)
    assert clean()


def one_permanent(together: Together, count: int) -> None:
    """A wallet has one number of a range for good, however many ask for it at once."""
    tables.empty()
    purse, of = wallet(), numbers()

    results = together(count, lambda number: permanent(purse, of=of, reference=f"r{number}"))

    assert kinds(results) == Counter({"VirtualAccount": 1, "PermanentHeld": count - 1})
    assert (VirtualAccount.objects.count(), clean()) == (1, True)


def last_numbers(together: Together, count: int) -> None:
    """Ten numbers, wanted by many members at once: ten get one each, and no two the same."""
    tables.empty()
    tiny = numbers(scheme="luhn", prefix="888000", length=8)
    purses = [wallet() for _ in range(count)]

    results = together(count, lambda number: permanent(purses[number], of=tiny))

    most = min(count, 10)
    refused = {AccountNumbersExhausted.__name__: count - 10} if count > 10 else {}
    assert kinds(results) == Counter({"VirtualAccount": most} | refused)
    assert len(set(VirtualAccount.objects.values_list("number", flat=True))) == most
    assert (AccountRange.objects.get().issued, clean()) == (most, True)


def room_of_one(together: Together, count: int) -> None:
    """Room for one of many credits that come at once: the others are set aside."""
    tables.empty()
    purse = wallet()
    account = permanent(purse)
    cap(19_99, measure="balance", period="always", currency="CNY", member=purse.member)
    opened()

    results = together(count, lambda number: came(account, 10_00, f"b{number}"))

    assert kinds(results) == {"BankCredit": count}
    assert (holds(purse), set_aside()) == (cny(10_00), Money((count - 1) * 10_00, "CNY"))
    assert clean()
