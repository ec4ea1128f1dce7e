"""Rounding by name: every place that rounds an amount says how."""

import decimal
from enum import Enum
from typing import Final


class Rounding(Enum):
    """The values are the names that ``decimal`` has for the same."""

    HALF_EVEN = decimal.ROUND_HALF_EVEN
    HALF_UP = decimal.ROUND_HALF_UP
    HALF_DOWN = decimal.ROUND_HALF_DOWN
    UP = decimal.ROUND_UP
    DOWN = decimal.ROUND_DOWN
    CEILING = decimal.ROUND_CEILING
    FLOOR = decimal.ROUND_FLOOR


_TO_NEAREST: Final = {Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.HALF_DOWN}


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """``numerator / denominator`` as a whole number; exact up to the one rounding that is named."""
    whole, rest = divmod(abs(numerator), abs(denominator))
    negative = (numerator < 0) != (denominator < 0)
    if rest and _away_from_zero(whole, 2 * rest - abs(denominator), rounding, negative=negative):
        whole += 1
    return -whole if negative else whole


def _away_from_zero(whole: int, over_half: int, rounding: Rounding, *, negative: bool) -> bool:
    """Whether a value between ``whole`` and the next is the next; ``over_half`` is 0 in the very middle."""
    if rounding in _TO_NEAREST and over_half != 0:
        return over_half > 0
    match rounding:
        case Rounding.HALF_EVEN:
            return whole % 2 == 1
        case Rounding.CEILING:
            return not negative
        case Rounding.FLOOR:
            return negative
    return rounding in {Rounding.HALF_UP, Rounding.UP}
