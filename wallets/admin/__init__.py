"""Wallets and what moves between them, in the back office."""

from wallets.admin import wallets

__all__ = ["wallets"]
