"""What must be true of cards and account numbers."""

from cards.verify import accounts, bank_credits, cards, numbers, reveals

__all__ = ["accounts", "bank_credits", "cards", "numbers", "reveals"]
