"""The ledger in the back office: everything to look at, nothing to edit."""

from paymentsite.ledger.admin import accounts, holds, journals

__all__ = ["accounts", "holds", "journals"]
