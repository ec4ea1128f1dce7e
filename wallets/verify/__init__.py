"""What must always be true of wallets; see docs/verify.md."""

from wallets.verify import (
    exchanges,
    fees,
    gifts,
    instruments,
    orders,
    points_credits,
    requests,
    saved_numbers,
    standing_orders,
    transfers,
)

__all__ = [
    "exchanges",
    "fees",
    "gifts",
    "instruments",
    "orders",
    "points_credits",
    "requests",
    "saved_numbers",
    "standing_orders",
    "transfers",
]
