"""The arithmetic of earning: how many points, kept after a refund, until which day. Pure; whole numbers alone."""

from calendar import monthrange
from datetime import date
from typing import Final

from paymentsite.core.rounding import Rounding, divide

FLAT_BP: Final = 10_000
_MONTHS: Final = 12


def earned(*, points: int, per_minor: int | None, paid_minor: int, least_minor: int, earn_bp: int) -> int:
    """What a payment of ``paid_minor`` earns: ``points`` for each ``per_minor`` of it, or in all, at a tier's rate.

    One division, rounded down, so that neither amount nor rate is rounded on the way.
    """
    if paid_minor <= 0 or paid_minor < least_minor:
        return 0
    if per_minor is None:
        return divide(points * earn_bp, FLAT_BP, Rounding.DOWN)
    return divide(paid_minor * points * earn_bp, per_minor * FLAT_BP, Rounding.DOWN)


def part_left(of_minor: int, *, amount_minor: int, refunded_minor: int) -> int:
    """What is left of a share of a payment when so much of the payment is refunded. The last refund leaves nothing."""
    return divide(of_minor * (amount_minor - refunded_minor), amount_minor, Rounding.DOWN)


def months_later(day: date, months: int) -> date:
    """The last day of the month that is ``months`` after that of ``day``."""
    years, month = divmod(day.month - 1 + months, _MONTHS)
    year = day.year + years
    return date(year, month + 1, monthrange(year, month + 1)[1])


def end_of_next_year(day: date) -> date:
    return date(day.year + 1, 12, 31)
