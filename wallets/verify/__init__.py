"""What must always be true of wallets; see docs/verify.md."""

from wallets.verify import (
    deposits,
    erasure,
    exchanges,
    fees,
    gifts,
    instruments,
    leaving,
    order_terms,
    orders,
    points_credits,
    requests,
    saved_numbers,
    standing_orders,
    told_states,
    transfers,
    wallets,
)

__all__ = [
    "deposits",
    "erasure",
    "exchanges",
    "fees",
    "gifts",
    "instruments",
    "leaving",
    "order_terms",
    "orders",
    "points_credits",
    "requests",
    "saved_numbers",
    "standing_orders",
    "told_states",
    "transfers",
    "wallets",
]
