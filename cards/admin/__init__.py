"""Cards and account numbers in the back office."""

from cards.admin import accounts, bank_credits, banks, cards, products

__all__ = ["accounts", "bank_credits", "banks", "cards", "products"]
