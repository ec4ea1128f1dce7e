"""Amounts as Stripe counts them. Pure.

Stripe's smallest parts are ISO 4217's but for the currencies named here.
"""

from typing import Final

from paymentsite.core.money import Money
from paymentsite.core.units import OWN_UNITS, SCALES

ZERO_DECIMAL: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
# The last digit must be zero: the card networks count in hundredths.
THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Whole units only, written in hundredths as they once were.
WHOLE_IN_HUNDREDTHS: Final = frozenset({"ISK", "UGX"})
_TENS: Final = (1, 10, 100, 1000)


class NotRepresentable(Exception):
    """Stripe cannot move exactly this amount, so it is not asked."""


def supported(unit: str) -> bool:
    """Whether the scale that Stripe uses for ``unit`` is known for certain."""
    if unit not in SCALES or unit in OWN_UNITS:
        return False
    return unit in ZERO_DECIMAL | THREE_DECIMAL | WHOLE_IN_HUNDREDTHS or SCALES[unit] == 2  # noqa: PLR2004 - hundredths


def to_stripe(money: Money) -> int:
    """``money`` in Stripe's smallest parts, exactly; raises ``NotRepresentable``."""
    if not supported(money.unit) or money.minor <= 0:
        raise NotRepresentable
    parts, rest = divmod(money.minor * _TENS[_scale(money.unit)], _TENS[SCALES[money.unit]])
    step = 10 if money.unit in THREE_DECIMAL else 100 if money.unit in WHOLE_IN_HUNDREDTHS else 1
    if rest or parts % step:
        raise NotRepresentable
    return parts


def from_stripe(parts: object, currency: object) -> Money:
    """What Stripe calls ``parts`` of ``currency``; raises ``ValueError`` where our unit cannot hold that exactly."""
    unit = str(currency).upper()
    if type(parts) is not int or not supported(unit):
        raise ValueError("not an amount that Stripe would name")
    minor, rest = divmod(parts * _TENS[SCALES[unit]], _TENS[_scale(unit)])
    if rest:
        raise ValueError("finer than the unit")
    return Money(minor, unit)


def _scale(unit: str) -> int:
    if unit in ZERO_DECIMAL:
        return 0
    return 3 if unit in THREE_DECIMAL else 2
