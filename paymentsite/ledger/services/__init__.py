"""The ledger as its callers see it: ``from paymentsite.ledger import services as ledger``; ``ledger.post(...)``."""

from paymentsite.ledger.entries import (
    Capture,
    Draft,
    Entry,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Posted,
    Release,
    Terms,
    Undo,
)
from paymentsite.ledger.services.accounts import house, open_account, set_floor, set_status
from paymentsite.ledger.services.exchanges import exchange
from paymentsite.ledger.services.journals import post, post_many, reverse
from paymentsite.ledger.services.seals import close_blocks, take_snapshot
from paymentsite.ledger.services.timers import expire_holds, lapse_lots

__all__ = [
    "Capture",
    "Draft",
    "Entry",
    "Expire",
    "Extend",
    "Increase",
    "Lapse",
    "Move",
    "Place",
    "Posted",
    "Release",
    "Terms",
    "Undo",
    "close_blocks",
    "exchange",
    "expire_holds",
    "house",
    "lapse_lots",
    "open_account",
    "post",
    "post_many",
    "reverse",
    "set_floor",
    "set_status",
    "take_snapshot",
]
