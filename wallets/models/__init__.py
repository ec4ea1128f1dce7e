from wallets.models.exchanges import Exchange, ExchangeQuote, ExchangeRate
from wallets.models.instruments import AccountProof, BankAccount, Instrument, OutsideCard
from wallets.models.wallets import Wallet

__all__ = [
    "AccountProof",
    "BankAccount",
    "Exchange",
    "ExchangeQuote",
    "ExchangeRate",
    "Instrument",
    "OutsideCard",
    "Wallet",
]
