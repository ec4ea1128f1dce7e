"""Wallets to arrange tests with, and something in them."""

from typing import Any

from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests.factories import fund
from tests.members.factories import member
from wallets.models import Gift, MoneyRequest, Transfer, Wallet
from wallets.services import gift_links, requests, transfers, wallets


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


def asked(minor: int = 100, *, of: Member | None, by: Member | None = None, **fields: Any) -> MoneyRequest:
    """``minor`` asked of a member by another."""
    asker = by or member()
    asked_for = {"amount": Money(minor, "CNY"), "reference": "q", "by": Actor.of(asker.user), **fields}
    return requests.ask(asker=asker, payer=of, **asked_for)


def paid(request: MoneyRequest, purse: Wallet, reference: str = "p", **fields: Any) -> Transfer:
    """The request, paid by the owner of a wallet."""
    by = Actor.of(purse.member.user)
    return requests.pay(request=request, payer=purse.member, reference=reference, by=by, **fields)


def given(minor: int, purse: Wallet, reference: str = "g", **fields: Any) -> gift_links.Made:
    """``minor`` out of a wallet for whoever comes with the link."""
    amount, by = Money(minor, purse.currency), Actor.of(purse.member.user)
    return gift_links.make(sender=purse.member, amount=amount, reference=reference, by=by, **fields)


def claimed(made: gift_links.Made, by: Member) -> Gift:
    assert made.token
    return gift_links.claim(token=made.token, member=by, by=Actor.of(by.user))


def emptied(who: Member) -> None:
    """Whatever is in the member's wallets has gone out into the world."""
    for purse in Wallet.objects.of(who).open().select_related("account"):
        if (left := holds(purse)).minor:
            out = ledger.Move(left, purse.account, ledger.house("cash", purse.currency))
            ledger.post(out, scope="test", kind="emptying", reference=f"empty {purse.public_id}")
