"""Wallets and what moves between them, in the back office."""

from wallets.admin import exchanges, fees, gateways, instruments, members, orders, points_credits, transfers, wallets

__all__ = [
    "exchanges",
    "fees",
    "gateways",
    "instruments",
    "members",
    "orders",
    "points_credits",
    "transfers",
    "wallets",
]
