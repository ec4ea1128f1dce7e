"""Prices against fractions: whatever the terms, the steps add up, and the bounds hold."""

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core.money import Money
from wallets import pricing
from wallets.pricing import Terms

MINOR = st.integers(0, 10**12)
BP = st.integers(0, 10_000)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    minimum = draw(st.integers(0, 10_000))
    maximum = draw(st.none() | st.integers(minimum, 100_000))
    return Terms(draw(BP), draw(st.integers(0, 10_000)), minimum, maximum, draw(BP))


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def expected(terms: Terms, minor: int, *, inside: bool, free: bool) -> int:
    if free:
        return 0
    price = max(half_up(Fraction(minor * terms.percent_bp, 10_000)) + terms.fixed, terms.minimum)
    if terms.maximum is not None:
        price = min(price, terms.maximum)
    price -= half_up(Fraction(price * terms.discount_bp, 10_000))
    return min(price, minor) if inside else price


@given(terms(), MINOR, st.booleans(), st.booleans())
def test_price_is_what_fractions_say(terms, minor, inside, free):
    steps = pricing.lines(terms, Money(minor, "CNY"), inside=inside, free=free)

    assert pricing.total(steps, "CNY").minor == expected(terms, minor, inside=inside, free=free)
    assert all(step.amount.minor for step in steps)
    assert len({step.name for step in steps}) == len(steps)


@given(terms(), MINOR, st.booleans())
def test_price_is_never_below_zero_nor_above_its_bounds(terms, minor, inside):
    price = pricing.total(pricing.lines(terms, Money(minor, "CNY"), inside=inside, free=False), "CNY").minor

    assert price >= 0
    assert terms.maximum is None or price <= terms.maximum
    assert not inside or price <= minor


@given(terms(), MINOR, MINOR)
def test_more_never_costs_less(terms, minor, more):
    small, large = (
        pricing.total(pricing.lines(terms, Money(each, "CNY"), inside=False, free=False), "CNY").minor
        for each in sorted((minor, more))
    )

    # The discount is rounded by itself, so that a step may lose one smallest part, and never more.
    assert small <= large + 1
