"""Conversion by a stored rate."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paymentsite.core.money import MINOR_MAX, UNITS, AmountOutOfRange, Money, Unit, UnitMismatch, UnknownUnit
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding

AT = datetime(2026, 11, 20, tzinfo=UTC)


def rate(base: str, quote: str, value: str) -> Rate:
    return Rate(base, quote, Decimal(value), "test feed", AT)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_is_not_positive_is_refused(value):
    with pytest.raises(ValueError, match="positive"):
        rate("USD", "CNY", value)


def test_a_rate_between_a_unit_and_itself_is_refused():
    with pytest.raises(ValueError, match="itself"):
        rate("USD", "USD", "1")


def test_a_rate_of_an_unknown_unit_is_refused():
    with pytest.raises(UnknownUnit):
        rate("USD", "ZZZ", "1")


def test_a_rate_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        Rate("USD", "CNY", Decimal(7), "test feed", datetime(2026, 11, 20))  # noqa: DTZ001 - the point


def test_a_rate_does_not_convert_back():
    with pytest.raises(UnitMismatch):
        rate("USD", "CNY", "7").convert(Money(700, "CNY"), rounding=Rounding.HALF_EVEN)


def test_a_result_that_the_books_cannot_hold_is_refused():
    with pytest.raises(AmountOutOfRange):
        rate("USD", "CNY", "7").convert(Money(MINOR_MAX, "USD"), rounding=Rounding.HALF_EVEN)


@pytest.mark.parametrize(
    ("base", "quote", "value", "minor", "expected"),
    [
        ("USD", "CNY", "7.1234", 10_000, 71_234),
        ("USD", "JPY", "151.237", 12_345, 18_670),
        ("JPY", "USD", "0.0066", 100, 66),
        ("USD", "KWD", "0.3071", 10_000, 30_710),
        ("KWD", "JPY", "490", 1_001, 490),
        ("PTS", "CNY", "0.01", 150, 150),
        ("CNY", "PTS", "1", 199, 2),
        ("USD", "CNY", "7.1234", -10_000, -71_234),
    ],
)
def test_conversion_minds_the_scales_of_both_units(base, quote, value, minor, expected):
    converted = rate(base, quote, value).convert(Money(minor, base), rounding=Rounding.HALF_EVEN)
    assert converted == Money(expected, quote)


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(sorted(UNITS)),
    st.decimals("0.000001", "100000", places=6),
    st.sampled_from(Rounding),
)
def test_conversion_is_exact_up_to_one_rounding(minor, base, quote, value, rounding):
    assume(base != quote)
    exact = Fraction(minor) * Fraction(value) * Fraction(10) ** (Unit.of(quote).scale - Unit.of(base).scale)
    assume(abs(exact) < MINOR_MAX)

    got = Rate(base, quote, value, "test feed", AT).convert(Money(minor, base), rounding=rounding).minor

    assert abs(got - exact) < 1
    if rounding in {Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.HALF_DOWN}:
        assert abs(got - exact) <= Fraction(1, 2)
    if rounding in {Rounding.FLOOR, Rounding.DOWN if minor > 0 else Rounding.UP}:
        assert got <= exact
    if rounding in {Rounding.CEILING, Rounding.UP if minor > 0 else Rounding.DOWN}:
        assert got >= exact
