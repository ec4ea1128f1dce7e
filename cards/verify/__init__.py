"""What must be true of cards."""

from cards.verify import cards, numbers

__all__ = ["cards", "numbers"]
