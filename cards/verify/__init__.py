"""What must be true of cards."""

from cards.verify import cards, numbers, reveals

__all__ = ["cards", "numbers", "reveals"]
