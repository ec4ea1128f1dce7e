"""Cards and account numbers in the back office."""

from cards.admin import accounts, bank_credits, banks, cards, controls, products, receipts, uses

__all__ = ["accounts", "bank_credits", "banks", "cards", "controls", "products", "receipts", "uses"]
