"""The ledger as its callers see it: ``from paymentsite.ledger import services as ledger``, then ``ledger.post(...)``."""

from paymentsite.ledger.entries import (
    Capture,
    Draft,
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
from paymentsite.ledger.services.journals import post, post_many, reverse

__all__ = [
    "Capture",
    "Draft",
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
    "house",
    "open_account",
    "post",
    "post_many",
    "reverse",
    "set_floor",
    "set_status",
]
