"""The ledger's tables, by noun."""

from paymentsite.ledger.models.accounts import Account, AccountEvent, Balance
from paymentsite.ledger.models.holds import Hold, HoldEvent
from paymentsite.ledger.models.journals import Journal, Posting
from paymentsite.ledger.models.lots import Lot, LotUse
from paymentsite.ledger.models.seals import Block, Leaf, Snapshot, Unsealed

__all__ = [
    "Account",
    "AccountEvent",
    "Balance",
    "Block",
    "Hold",
    "HoldEvent",
    "Journal",
    "Leaf",
    "Lot",
    "LotUse",
    "Posting",
    "Snapshot",
    "Unsealed",
]
