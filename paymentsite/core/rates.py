"""Exchange rates as they were at a moment, and converting by them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from paymentsite.core.money import Money, Unit, UnitMismatch, within_range
from paymentsite.core.rounding import Rounding, divide


@dataclass(frozen=True, slots=True)
class Rate:
    """One ``base`` costs ``value`` of ``quote``, says ``source`` at the moment ``at``.

    It converts base into quote only: the way back is another rate, with another spread, and has to be given.
    """

    base: str
    quote: str
    value: Decimal
    source: str
    at: datetime

    def __post_init__(self) -> None:
        if Unit.of(self.base) == Unit.of(self.quote):
            raise ValueError(f"a rate joins two units, not {self.base} with itself")
        if not self.value.is_finite() or self.value <= 0:
            raise ValueError(f"a rate is a positive Decimal, not {self.value!r}")
        if self.at.tzinfo is None:
            raise ValueError("a rate holds at an aware moment")

    def convert(self, money: Money, *, rounding: Rounding) -> Money:
        """What ``money`` of the base is in the quote: exact up to the one rounding that is named."""
        if money.unit != self.base:
            raise UnitMismatch(left=money.unit, right=self.base)

        numerator, denominator = self.value.as_integer_ratio()
        numerator *= 10 ** Unit.of(self.quote).scale
        denominator *= 10 ** Unit.of(self.base).scale
        return within_range(divide(money.minor * numerator, denominator, rounding), self.quote)
