"""What tests arrange: accounts of every sort, with something on them."""

from typing import Any

import factory

from paymentsite.core import clock
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Hold, Posting


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def pts(minor: int) -> Money:
    return Money(minor, "PTS")


class AccountFactory(factory.Factory[Account]):
    """An account of an owner of its own, opened as the site opens one."""

    class Meta:
        model = ledger.open_account

    owner = factory.Sequence(lambda number: f"test:{number}")
    code = "wallet"
    unit = "CNY"
    kind = Account.Kind.LIABILITY


def purse(holding: int = 0, **fields: Any) -> Account:
    """A strict account with a floor of zero unless told otherwise, and ``holding`` on it."""
    account = AccountFactory(**fields)
    if holding:
        fund(account, holding)
    return account


def hot(**fields: Any) -> Account:
    """A deferred account: no floor, no running balance."""
    return AccountFactory(mode=Account.Mode.DEFERRED, **fields)


def points(**fields: Any) -> Account:
    """An account whose value expires lot by lot."""
    return AccountFactory(code="points", unit="PTS", lots=True, **fields)


def fund(account: Account, minor: int, terms: ledger.Terms | None = None) -> ledger.Posted:
    """``minor`` more on ``account``, out of the world."""
    return ledger.post(
        ledger.Move(Money(minor, account.unit), ledger.house("cash", account.unit), account, terms),
        reference=f"fund {uuid7(clock.now())}",
        scope="test",
        kind="funding",
    )


def hold(account: Account, minor: int, **fields: Any) -> Hold:
    """``minor`` set aside on ``account``."""
    placed = ledger.post(
        ledger.Place(Money(minor, account.unit), account, **fields),
        reference=f"hold {uuid7(clock.now())}",
        scope="test",
    )
    return Hold.objects.select_related("account").get(pk=placed.holds[0])


def postings_of(posted: ledger.Posted) -> list[Posting]:
    """What the act wrote, in order."""
    return list(
        Posting.objects.filter(journal=posted.journal_id).select_related("source", "target").order_by("position")
    )
