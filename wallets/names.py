"""Whether two spellings are one person's name."""

import unicodedata
from typing import Final

from rapidfuzz import fuzz

SAME: Final = 95
ALIKE: Final = 75


def likeness(one: str, other: str) -> int:
    """0 to 100: how alike two names are, whatever the order of their parts, capitals, accents and points.

    Each part must have its like: "Li Wei" and "Li Wei Corporation" are not the same. No name is like nothing.
    """
    first, second = _plain(one), _plain(other)
    return int(fuzz.token_sort_ratio(first, second)) if first and second else 0


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())
