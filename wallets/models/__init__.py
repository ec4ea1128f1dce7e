from wallets.models.exchanges import Exchange, ExchangeQuote, ExchangeRate
from wallets.models.instruments import AccountProof, BankAccount, Instrument, OutsideCard
from wallets.models.notifications import Notification
from wallets.models.orders import GatewayOrder, OrderEvent, TopUp, Withdrawal
from wallets.models.routes import GatewayRoute
from wallets.models.wallets import Wallet

__all__ = [
    "AccountProof",
    "BankAccount",
    "Exchange",
    "ExchangeQuote",
    "ExchangeRate",
    "GatewayOrder",
    "GatewayRoute",
    "Instrument",
    "Notification",
    "OrderEvent",
    "OutsideCard",
    "TopUp",
    "Wallet",
    "Withdrawal",
]
