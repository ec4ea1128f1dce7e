"""What must always be true of wallets; see docs/verify.md."""

from wallets.verify import exchanges, instruments, orders, saved_numbers

__all__ = ["exchanges", "instruments", "orders", "saved_numbers"]
