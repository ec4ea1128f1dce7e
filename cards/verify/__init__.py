"""What must be true of cards, their uses, and account numbers."""

from cards.verify import (
    accounts,
    bank_credits,
    cards,
    decisions,
    fees,
    limit_uses,
    numbers,
    pins,
    reveals,
    settling,
    strays,
    use_facts,
    uses,
)

__all__ = [
    "accounts",
    "bank_credits",
    "cards",
    "decisions",
    "fees",
    "limit_uses",
    "numbers",
    "pins",
    "reveals",
    "settling",
    "strays",
    "use_facts",
    "uses",
]
