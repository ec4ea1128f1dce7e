from wallets.models.wallets import Wallet

__all__ = ["Wallet"]
