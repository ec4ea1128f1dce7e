"""Wallets and what moves between them, in the back office."""

from wallets.admin import exchanges, instruments, wallets

__all__ = ["exchanges", "instruments", "wallets"]
