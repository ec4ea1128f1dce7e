"""Banks, account numbers and what comes to them, to arrange tests with."""

from datetime import date
from typing import Any

from cards.models import AccountRange, Bank, BankCredit, VirtualAccount
from cards.services import accounts, bank_bookings, bank_credits, banks
from cards.services.accounts import Expected
from cards.services.bank_credits import ASIDE, Advice
from cards.services.life import Channel
from members.models import Notice
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from tests.factories import cny
from tests.members.limiting import cap
from wallets.models import Wallet

NOWHERE = "99999999999999"


def bank(code: str = "harbour") -> Bank:
    first = Bank.objects.filter(code=code).first()
    return first or banks.put_bank(code=code, name=code.capitalize(), by=SYSTEM, reason="test")


def numbers(**terms: Any) -> AccountRange:
    """Numbers of 22 digits in yuan, unless told otherwise; the range that begins so where there is one."""
    usual = {"scheme": "mod97", "country": "", "prefix": "8888", "length": 22, "currency": "CNY", "held_max": 20}
    facts: Any = {**usual, **terms}
    first = AccountRange.objects.filter(prefix=facts["prefix"], length=facts["length"]).first()
    return first or banks.put_range({"bank": facts.pop("bank", None) or bank(), **facts}, by=SYSTEM, reason="test")


def permanent(purse: Wallet, *, of: AccountRange | None = None, reference: str = "p", **how: Any) -> VirtualAccount:
    return accounts.open_permanent(
        wallet=purse,
        numbers=of or numbers(currency=purse.currency),
        reference=reference,
        by=Actor.of(purse.member.user),
        channel=Channel.WEB,
        **how,
    )


def purpose(purse: Wallet, minor: int = 100_00, *, reference: str = "i", **how: Any) -> VirtualAccount:
    """A number for which so much is expected; what is no term of that goes to the account itself."""
    named = {name: how.pop(name) for name in ("expires_on", "over", "payer") if name in how}
    return accounts.open_for_purpose(
        wallet=purse,
        numbers=how.pop("of", None) or numbers(),
        expected=Expected(Money(minor, purse.currency), **named),
        reference=reference,
        by=Actor.of(purse.member.user),
        channel=Channel.WEB,
        **how,
    )


def advice(number: str, minor: int = 10_00, reference: str = "b1", **facts: Any) -> Advice:
    return Advice(
        reference=reference,
        number=Secret(number),
        amount=facts.pop("amount", None) or cny(minor),
        value_date=facts.pop("value_date", None) or clock.today(),
        **{name: Secret(text) for name, text in facts.items()},
    )


def came(to: VirtualAccount | str, minor: int = 10_00, reference: str = "b1", **facts: Any) -> BankCredit:
    """A bank tells of it; the account's own, where an account is named."""
    told_by = facts.pop("bank", None) or (bank() if isinstance(to, str) else to.numbers.bank)
    number = to if isinstance(to, str) else to.number
    return bank_credits.receive(bank=told_by, advice=advice(number, minor, reference, **facts), by=SYSTEM)


def set_aside(currency: str = "CNY") -> Money:
    """What stands in suspense."""
    return books.standing(bank_bookings.suspense(currency)).posted


def at_bank(currency: str = "CNY", code: str = "harbour") -> Money:
    """What the bank has for us."""
    return books.standing(bank_bookings.clearing(bank(code), currency)).posted


def days(count: int) -> date:
    return date.fromordinal(clock.today().toordinal() + count)


def aside(credit: BankCredit) -> bool:
    return OpenItem.objects.open().about(credit).filter(kind=ASIDE).exists()


def sentences(purse: Wallet) -> list[str]:
    return [notices.sentence(each) for each in Notice.objects.of(purse.member).order_by("pk")][1:]


def purposes_of(account: VirtualAccount) -> tuple[str, Money]:
    account.refresh_from_db()
    return account.purpose, account.paid


def blocked(account: VirtualAccount) -> str:
    """The ledger's keepers let nothing in."""
    ledger.set_status(account=account.wallet.account, status=Balance.Status.FROZEN, by=SYSTEM, reason="seized")
    return account.number


def full(account: VirtualAccount) -> str:
    cap(9_99, measure="balance", period="always", currency="CNY", member=account.member)
    return account.number
