"""What credits by banks do in the books. Each posting happens once: its reference is the credit's public id.

What a bank owes us stands on its *clearing* account, in each currency; reconciling with its statements moves it on.
What cannot be on a wallet stands in a *suspense* of its own until two people decide.
"""

from typing import Final
from uuid import UUID, uuid5

from cards.models import Bank, BankCredit
from paymentsite.core.actors import Actor
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets.models import Wallet

SCOPE: Final = "cards.bank_credit"
# One for both ways in which something that was set aside ends: it ends once.
SETTLED: Final = "cards.bank_credit.settled"
SUSPENSE: Final = "bank suspense"
CLEARING: Final = "clearing"


def clearing(bank: Bank, currency: str) -> Account:
    """What ``bank`` has for us in ``currency``."""
    return ledger.open_account(
        owner=bank.owner,
        code=CLEARING,
        unit=currency,
        kind=Account.Kind.ASSET,
        mode=Account.Mode.DEFERRED,
    )


def suspense(currency: str) -> Account:
    return ledger.house(SUSPENSE, currency)


def id_of(bank: Bank, reference: str) -> UUID:
    """The public id of what the bank calls ``reference``: the same whenever it tells of it."""
    return uuid5(bank.public_id, f"credit {reference}")


def came(credit: BankCredit, *, wallet: Wallet | None, by: Actor) -> ledger.Posted:
    """What came is on the wallet and in suspense, as the credit says."""
    source = clearing(credit.bank, credit.currency)
    entries: list[ledger.Entry] = []
    if wallet is not None and credit.booked_minor:
        entries.append(ledger.Move(credit.booked, source, wallet.account))
    if credit.aside_minor:
        entries.append(ledger.Move(credit.set_aside, source, suspense(credit.currency)))
    return ledger.post(
        *entries,
        kind="bank_credit",
        scope=SCOPE,
        reference=str(credit.public_id),
        source=credit.source,
        by=by,
        must=True,
    )


def assigned(credit: BankCredit, *, wallet: Wallet, by: Actor) -> UUID:
    """What was set aside is on the wallet."""
    return _settled(credit, wallet.account, kind="bank_credit_assigned", by=by)


def returned(credit: BankCredit, *, by: Actor) -> UUID:
    """What was set aside has left again, by way of the bank at which it came."""
    return _settled(credit, clearing(credit.bank, credit.currency), kind="bank_credit_returned", by=by)


def _settled(credit: BankCredit, target: Account, *, kind: str, by: Actor) -> UUID:
    posted = ledger.post(
        ledger.Move(credit.set_aside, suspense(credit.currency), target),
        kind=kind,
        scope=SETTLED,
        reference=str(credit.public_id),
        source=credit.source,
        by=by,
        must=True,
    )
    return posted.journal_id
