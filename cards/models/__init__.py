"""What the cards keep: products, cards, what they were used for, virtual accounts, and what happened to them."""

from cards.models.accounts import VirtualAccount, VirtualAccountEvent
from cards.models.authorisations import CardAuthorisation
from cards.models.bank_credits import BankCredit
from cards.models.banks import AccountRange, Bank
from cards.models.cards import Card, CardEvent, CardLoad
from cards.models.controls import CardControls
from cards.models.fees import CardFee
from cards.models.messages import CardMessage, DecisionReceipt
from cards.models.pins import CardPin
from cards.models.products import CardProduct, CodeKey, NumberRange
from cards.models.reveals import CardReveal

__all__ = [
    "AccountRange",
    "Bank",
    "BankCredit",
    "Card",
    "CardAuthorisation",
    "CardControls",
    "CardEvent",
    "CardFee",
    "CardLoad",
    "CardMessage",
    "CardPin",
    "CardProduct",
    "CardReveal",
    "CodeKey",
    "DecisionReceipt",
    "NumberRange",
    "VirtualAccount",
    "VirtualAccountEvent",
]
