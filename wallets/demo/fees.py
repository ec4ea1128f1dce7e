"""Fees to begin with."""

from wallets.services import fee_rules


def fill() -> None:
    """Withdrawals and exchanges have a price."""
    fee_rules.set_defaults()
