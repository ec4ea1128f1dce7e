"""What must always be true of the books, by noun. Importing this registers all of it."""

from paymentsite.ledger.verify import accounts, books, holds, journals, lots, outside, postings, seals, snapshots

__all__ = ["accounts", "books", "holds", "journals", "lots", "outside", "postings", "seals", "snapshots"]
