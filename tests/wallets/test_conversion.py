"""The arithmetic of an exchange, for any rate, margin and amount."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paymentsite.core.money import MINOR_MAX, Money, Unit
from paymentsite.core.rates import Rate
from wallets import conversion

AT = datetime(2026, 11, 20, tzinfo=UTC)
units = st.sampled_from(["CNY", "USD", "EUR", "JPY", "KWD", "CLF", "XAU"][:6])
values = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(1_000_000), places=12)
margins = st.integers(0, 9_999)


def rate(base: str, quote: str, value: Decimal) -> Rate:
    return Rate(base, quote, value, "test feed", AT)


@given(units, units, values, margins, st.integers(1, 10**12))
def test_bought_and_margin_are_what_the_rate_gives_to_less_than_one_minor_unit(base, quote, value, margin_bp, sold):
    assume(base != quote)
    exact = Fraction(value) * sold * 10 ** Unit.of(quote).scale / 10 ** Unit.of(base).scale
    assume(exact < MINOR_MAX)

    found = conversion.convert(Money(sold, base), rate(base, quote, value), margin_bp=margin_bp)

    fair = exact * (10_000 - margin_bp) / 10_000
    assert 0 <= fair - found.bought.minor < 1
    assert 0 <= exact - (found.bought.minor + found.margin.minor) < 1
    assert found.margin.minor >= 0


@given(values, values, margins, st.integers(1, 10**9))
def test_there_and_back_at_the_inverse_never_makes_money(there, back, margin_bp, sold):
    assume(there * back <= 1)

    bought = conversion.convert(Money(sold, "USD"), rate("USD", "EUR", there), margin_bp=margin_bp).bought
    returned = conversion.convert(bought, rate("EUR", "USD", back), margin_bp=margin_bp).bought

    assert returned.minor <= sold


@given(values, values)
def test_cross_is_the_exact_product_and_as_old_as_the_older(one, other):
    older = Rate("CNY", "EUR", other, "b", AT.replace(year=2025))

    crossed = conversion.crossed(rate("USD", "CNY", one), older)

    assert Fraction(crossed.value) == Fraction(one) * Fraction(other)
    assert (crossed.base, crossed.quote, crossed.at) == ("USD", "EUR", older.at)


def test_rates_that_do_not_meet_are_not_crossed():
    with pytest.raises(ValueError, match="does not lead"):
        conversion.crossed(rate("USD", "CNY", Decimal(1)), rate("EUR", "JPY", Decimal(1)))


def test_margin_of_all_of_it_leaves_nothing():
    found = conversion.convert(Money(500, "USD"), rate("USD", "CNY", Decimal(7)), margin_bp=10_000)

    assert (found.bought.minor, found.margin.minor) == (0, 3_500)


@given(values)
def test_text_of_a_rate_is_the_same_number_without_exponent(value):
    assert Decimal(conversion.text(value)) == value
    assert conversion.text(value) == conversion.text(value.normalize())
    assert "E" not in conversion.text(value)
