"""What must always be true of the books, by noun. Importing this registers all of it."""

from paymentsite.ledger.verify import books, holds, journals, lots, outside, postings, seals, snapshots

__all__ = ["books", "holds", "journals", "lots", "outside", "postings", "seals", "snapshots"]
