from wallets.models.instruments import AccountProof, BankAccount, Instrument, OutsideCard
from wallets.models.wallets import Wallet

__all__ = ["AccountProof", "BankAccount", "Instrument", "OutsideCard", "Wallet"]
