"""How a price comes about: arithmetic alone. Every step is rounded half up, to the smallest part of the currency."""

from dataclasses import dataclass
from typing import Final

from paymentsite.core.money import Money
from paymentsite.core.rounding import Rounding

ROUNDING: Final = Rounding.HALF_UP


@dataclass(frozen=True, slots=True)
class Terms:
    """``maximum`` None is none. Of what they come to, ``discount_bp`` hundredths of a percent are taken off."""

    percent_bp: int = 0
    fixed: int = 0
    minimum: int = 0
    maximum: int | None = None
    discount_bp: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a price: ``percent``, ``fixed``, ``minimum``, ``maximum``, ``discount``, ``capped`` or ``free``."""

    name: str
    amount: Money


def lines(terms: Terms, amount: Money, *, inside: bool, free: bool) -> tuple[Line, ...]:
    """The steps, which add up to the price; those that change nothing are left out.

    ``inside`` says that the price is taken out of ``amount`` itself, and so is never more than it. Whatever is taken
    off, a price is never below zero.
    """
    steps: list[Line] = []
    price = Money.zero(amount.unit)

    def to(name: str, target: Money) -> None:
        nonlocal price
        if target != price:
            steps.append(Line(name, target - price))
            price = target

    unit = amount.unit
    to("percent", amount.basis_points(terms.percent_bp, rounding=ROUNDING))
    to("fixed", price + Money(terms.fixed, unit))
    to("minimum", max(price, Money(terms.minimum, unit)))
    if terms.maximum is not None:
        to("maximum", min(price, Money(terms.maximum, unit)))
    to("discount", price - price.basis_points(min(terms.discount_bp, 10_000), rounding=ROUNDING))
    if inside:
        to("capped", min(price, amount))
    if free:
        to("free", Money.zero(unit))
    return tuple(steps)


def total(steps: tuple[Line, ...], unit: str) -> Money:
    return sum((step.amount for step in steps), Money.zero(unit))
