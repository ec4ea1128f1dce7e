"""What must always be true of wallets; see docs/verify.md."""

from wallets.verify import exchanges, instruments, saved_numbers

__all__ = ["exchanges", "instruments", "saved_numbers"]
