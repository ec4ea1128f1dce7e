"""Saved numbers: they open, they are right, and they are found by their digest."""

from collections.abc import Iterator

from paymentsite.core import vault
from paymentsite.core.vault import Secret, Undecipherable
from paymentsite.core.vault.fields import Encrypted
from paymentsite.core.verification import Fault, Run, check
from wallets import numbers
from wallets.models import BankAccount, OutsideCard


@check("wallets.cards_decrypt", "Each saved card opens, passes Luhn, and is found by its digest.", whole=True)
def cards_decrypt(run: Run) -> Iterator[Fault]:
    cards = OutsideCard.objects.filter(number__isnull=False).order_by("pk")
    run.seen["saved cards"] = cards.count()
    for card in cards.iterator():
        try:
            number = card.number.decrypt().reveal()
            _open(card.holder)
        except Undecipherable:
            yield f"instrument {card.pk}", "the vault cannot open it"
            continue
        yield from _card_faults(card, number)


def _open(held: Encrypted | None) -> None:
    """Raise ``Undecipherable`` where something is held that does not open."""
    if held is not None:
        held.decrypt()


def _card_faults(card: OutsideCard, number: str) -> Iterator[Fault]:
    try:
        numbers.card(number)
    except numbers.WrongNumber:
        yield f"instrument {card.pk}", "what it holds is no card's number"
    if (card.last_four, card.brand) != (number[-4:], numbers.brand(number)):
        yield f"instrument {card.pk}", "its last four or its brand is not that of its number"
    if card.number_digest not in vault.digests(Secret(number), label="outside_card.number"):
        yield f"instrument {card.pk}", "its digest is not that of its number"


@check("wallets.accounts_decrypt", "Each saved bank account opens, is a right number, and is found by it.", whole=True)
def accounts_decrypt(run: Run) -> Iterator[Fault]:
    accounts = BankAccount.objects.filter(number__isnull=False).order_by("pk")
    run.seen["saved bank accounts"] = accounts.count()
    for account in accounts.iterator():
        try:
            text = account.number.decrypt().reveal()
            _open(account.holder)
        except Undecipherable:
            yield f"instrument {account.pk}", "the vault cannot open it"
            continue
        yield from _account_faults(account, text)


def _account_faults(account: BankAccount, text: str) -> Iterator[Fault]:
    try:
        parsed = numbers.AccountNumber.parse(text)
    except numbers.WrongNumber:
        yield f"instrument {account.pk}", "what it holds is no account's number"
    else:
        said = (account.scheme, account.country, account.last_four)
        if said != (parsed.scheme, parsed.country, parsed.number[-4:]):
            yield f"instrument {account.pk}", "its country, scheme or last four is not that of its number"
    if account.number_digest not in vault.digests(Secret(text), label="bank_account.number"):
        yield f"instrument {account.pk}", "its digest is not that of its number"
