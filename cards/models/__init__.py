"""What the cards keep: products, cards, and what happened to them."""

from cards.models.cards import Card, CardEvent, CardLoad
from cards.models.products import CardProduct, CodeKey, NumberRange
from cards.models.reveals import CardReveal

__all__ = ["Card", "CardEvent", "CardLoad", "CardProduct", "CardReveal", "CodeKey", "NumberRange"]
