"""Cards in the back office."""

from cards.admin import cards, products

__all__ = ["cards", "products"]
