"""Wallets and what moves between them, in the back office."""

from wallets.admin import exchanges, gateways, instruments, orders, wallets

__all__ = ["exchanges", "gateways", "instruments", "orders", "wallets"]
