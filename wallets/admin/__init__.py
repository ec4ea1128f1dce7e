"""Wallets and what moves between them, in the back office."""

from wallets.admin import exchanges, gateways, instruments, orders, transfers, wallets

__all__ = ["exchanges", "gateways", "instruments", "orders", "transfers", "wallets"]
