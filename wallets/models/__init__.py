from wallets.models.exchanges import Exchange, ExchangeQuote, ExchangeRate
from wallets.models.fees import FeeRule, FeeUse
from wallets.models.gifts import Gift
from wallets.models.instruments import AccountProof, BankAccount, Instrument, OutsideCard
from wallets.models.notifications import Notification
from wallets.models.order_events import OrderEvent
from wallets.models.orders import GatewayOrder, Payout, ProofDeposit, TopUp, Withdrawal
from wallets.models.points_credits import PointsCredit
from wallets.models.requests import MoneyRequest, RequestBlock
from wallets.models.routes import GatewayRoute
from wallets.models.standing_orders import StandingOrder, StandingRun
from wallets.models.transfers import Transfer
from wallets.models.unconfirmed import Unconfirmed
from wallets.models.wallets import Wallet

__all__ = [
    "AccountProof",
    "BankAccount",
    "Exchange",
    "ExchangeQuote",
    "ExchangeRate",
    "FeeRule",
    "FeeUse",
    "GatewayOrder",
    "GatewayRoute",
    "Gift",
    "Instrument",
    "MoneyRequest",
    "Notification",
    "OrderEvent",
    "OutsideCard",
    "Payout",
    "PointsCredit",
    "ProofDeposit",
    "RequestBlock",
    "StandingOrder",
    "StandingRun",
    "TopUp",
    "Transfer",
    "Unconfirmed",
    "Wallet",
    "Withdrawal",
]
