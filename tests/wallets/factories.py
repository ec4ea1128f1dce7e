"""Wallets to arrange tests with, and something in them."""

from typing import Any

from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from tests.factories import fund
from tests.members.factories import member
from wallets.models import Transfer, Wallet
from wallets.services import transfers, wallets


def wallet(holding: int = 0, *, of: Member | None = None, currency: str = "CNY", **fields: Any) -> Wallet:
    """A wallet of ``of``, or of a member made with ``fields``, with ``holding`` minor units in it."""
    found = wallets.open(member=of or member(**fields), currency=currency, by=SYSTEM)
    if holding:
        fund(found.account, holding)
    return found


def holds(found: Wallet) -> Money:
    """What is in it now."""
    return books.standing(found.account).posted


def sent(amount: int, *, sender: Wallet, to: Member, reference: str = "r", **fields: Any) -> Transfer:
    """``amount`` minor units out of a wallet to a member."""
    return transfers.send(
        sender=sender.member,
        payee=to,
        amount=Money(amount, sender.currency),
        reference=reference,
        by=Actor.of(sender.member.user),
        **fields,
    )
