"""What the cards keep: products, cards, virtual accounts, and what happened to them."""

from cards.models.accounts import VirtualAccount, VirtualAccountEvent
from cards.models.bank_credits import BankCredit
from cards.models.banks import AccountRange, Bank
from cards.models.cards import Card, CardEvent, CardLoad
from cards.models.products import CardProduct, CodeKey, NumberRange
from cards.models.reveals import CardReveal

__all__ = [
    "AccountRange",
    "Bank",
    "BankCredit",
    "Card",
    "CardEvent",
    "CardLoad",
    "CardProduct",
    "CardReveal",
    "CodeKey",
    "NumberRange",
    "VirtualAccount",
    "VirtualAccountEvent",
]
