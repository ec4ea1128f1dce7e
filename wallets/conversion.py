"""What an exchange gives: exact up to the rounding that is named, in the house's favour by less than one minor unit."""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import Final

from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding

ROUNDING: Final = Rounding.DOWN
_BP: Final = 10_000
# Rates are multiplied exactly or not at all: a product with more digits raises.
_EXACT: Final = Context(prec=80, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Given:
    """``bought`` is the member's, ``margin`` ours; together they are what the market's rate gives, rounded down."""

    bought: Money
    margin: Money


def convert(sold: Money, rate: Rate, *, margin_bp: int) -> Given:
    """What ``sold`` buys at ``rate`` less ``margin_bp`` ten-thousandths of it."""
    if margin_bp >= _BP:
        return Given(Money.zero(rate.quote), rate.convert(sold, rounding=ROUNDING))
    bought = lessened(rate, margin_bp).convert(sold, rounding=ROUNDING)
    return Given(bought, rate.convert(sold, rounding=ROUNDING) - bought)


def lessened(rate: Rate, margin_bp: int) -> Rate:
    """The rate that a member gets."""
    value = _EXACT.multiply(rate.value, Decimal(_BP - margin_bp).scaleb(-4))
    return Rate(rate.base, rate.quote, value, rate.source, rate.at)


def crossed(first: Rate, second: Rate) -> Rate:
    """The rate through a third unit, as old as the older of the two."""
    if first.quote != second.base:
        raise ValueError(f"{first.base}/{first.quote} does not lead to {second.base}/{second.quote}")
    return Rate(
        first.base,
        second.quote,
        _EXACT.multiply(first.value, second.value),
        f"{first.source} × {second.source}",
        min(first.at, second.at),
    )


def text(value: Decimal) -> str:
    """``value`` with all its digits, without exponent and idle zeros: one text for each number."""
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
