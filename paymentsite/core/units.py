"""What amounts are counted in, and how many decimals each unit has.

The scales come from ISO 4217 itself: Babel's follow common practice and differ for 13 currencies.
"""

from typing import Final

from iso4217 import Currency

# Points that can be spent, and points that only count towards a tier.
OWN_UNITS: Final = {"PTS": 0, "QPT": 0}

SCALES: Final[dict[str, int]] = {
    **{currency.code: currency.exponent for currency in Currency if currency.exponent is not None},
    **OWN_UNITS,
}


def decimal_text(minor: int, scale: int) -> str:
    """``minor`` with its decimal point, in every locale alike: ``decimal_text(-1205, 2)`` is ``-12.05``."""
    digits = str(abs(minor)).rjust(scale + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"
