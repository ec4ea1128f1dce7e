"""Amounts: what is refused at the border, and that arithmetic loses nothing."""

import json
import pickle
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core import formats
from paymentsite.core.money import (
    MINOR_MAX,
    MINOR_MIN,
    UNITS,
    AmountMalformed,
    AmountNegative,
    AmountOutOfRange,
    AmountTooFine,
    Money,
    Unit,
    UnitMismatch,
    UnknownUnit,
)
from paymentsite.core.rounding import Rounding, divide

minors = st.integers(MINOR_MIN, MINOR_MAX)
units = st.sampled_from(sorted(UNITS))
moneys = st.builds(Money, minors, units)
same_unit = units.flatmap(
    lambda unit: st.tuples(st.builds(Money, minors, st.just(unit)), st.builds(Money, minors, st.just(unit)))
)
EXACT = Context(prec=200)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


@pytest.mark.parametrize(
    "text",
    ["", " ", "1,00", "1 000", "1e3", "1E3", "NaN", "Infinity", "inf", "0x10", ".5", "5.", "1.2.3", "+1",
     "--1", "-", " 1", "1 ", "1\n", "１２", "١٢", "१२", "1_000", "¥1", "1/2", "\0", "\ud800", None, True,
     1, 1.0, Decimal(1), ["1"]],
)  # fmt: skip
def test_parse_refuses_what_is_not_plainly_an_amount(text):
    with pytest.raises(AmountMalformed) as refusal:
        Money.parse(text, "CNY", signed=True)

    assert json.loads(json.dumps(refusal.value.facts)) == refusal.value.facts
    str(refusal.value).encode()


@pytest.mark.parametrize(
    ("text", "unit"), [("0.001", "CNY"), ("1.000", "CNY"), ("1.0", "JPY"), ("1.0", "PTS"), ("1.0000", "KWD")]
)
def test_parse_refuses_decimals_beyond_the_scale(text, unit):
    with pytest.raises(AmountTooFine) as refusal:
        Money.parse(text, unit)

    assert refusal.value.facts == {"given": text, "unit": unit, "scale": UNITS[unit].scale}


@pytest.mark.parametrize("text", ["-1", "-0.01", "-9223372036854775808"])
def test_parse_refuses_a_minus_where_none_is_allowed(text):
    with pytest.raises(AmountNegative):
        Money.parse(text, "PTS" if "." not in text else "CNY")


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 20, "1" + "0" * 40, "9" * 5000])
def test_parse_refuses_what_64_bits_cannot_hold(text):
    with pytest.raises(AmountOutOfRange):
        Money.parse(text, "PTS", signed=True)


def test_parse_refuses_a_unit_that_is_none():
    with pytest.raises(UnknownUnit) as refusal:
        Money.parse("1", "cny")

    assert str(refusal.value) == "cny is neither an ISO 4217 currency nor a unit of ours."


@pytest.mark.parametrize(
    ("text", "unit", "minor"),
    [("0", "CNY", 0), ("-0", "CNY", 0), ("12.5", "CNY", 1250), ("12.05", "CNY", 1205), ("007", "JPY", 7),
     ("1.234", "KWD", 1234), ("-3", "PTS", -3), ("0" * 30 + "1", "QPT", 1),
     ("92233720368547758.07", "CNY", MINOR_MAX), ("-92233720368547758.08", "CNY", MINOR_MIN)],
)  # fmt: skip
def test_parse_reads_exactly_what_was_written(text, unit, minor):
    assert Money.parse(text, unit, signed=True) == Money(minor, unit)


@given(moneys)
def test_parse_reads_back_what_was_printed(money):
    assert Money.parse(str(money).split()[0], money.unit, signed=True) == money


@pytest.mark.parametrize(
    "value",
    [None, 5, "5 CNY", [], {}, {"amount": 5}, {"currency": "CNY"}, {"amount": "5", "currency": "CNY"},
     {"amount": 5.0, "currency": "CNY"}, {"amount": True, "currency": "CNY"},
     {"amount": None, "currency": "CNY"}, {"amount": 5, "currency": None}, {"amount": 5, "currency": ["CNY"]},
     {"amount": float("nan"), "currency": "CNY"},
     {"amount": 5, "currency": "CNY", "scale": 0}, {"amount": 10**5000}],
)  # fmt: skip
def test_from_wire_refuses_what_is_not_the_agreed_form(value):
    with pytest.raises(AmountMalformed) as refusal:
        Money.from_wire(value)

    json.dumps(refusal.value.facts, allow_nan=False)


def test_from_wire_refuses_unknown_units_and_negative_and_endless_amounts():
    with pytest.raises(UnknownUnit):
        Money.from_wire({"amount": 5, "currency": "X" * 1000})
    with pytest.raises(AmountNegative):
        Money.from_wire({"amount": -1, "currency": "CNY"})
    for endless in (MINOR_MAX + 1, 10**40, 10**5000):
        with pytest.raises(AmountOutOfRange):
            Money.from_wire({"amount": endless, "currency": "CNY"})
    with pytest.raises(AmountOutOfRange):
        Money.from_wire({"amount": MINOR_MIN - 1, "currency": "CNY"}, signed=True)


def test_a_refusal_echoes_only_the_beginning_of_what_was_given():
    with pytest.raises(AmountMalformed) as refusal:
        Money.parse("x" * 1_000_000, "CNY")

    assert refusal.value.facts == {"given": "x" * 40 + "…"}


@given(moneys)
def test_from_wire_reads_back_what_to_wire_wrote(money):
    assert Money.from_wire(json.loads(json.dumps(money.to_wire())), signed=True) == money


def test_amounts_of_different_units_do_not_mix():
    for mixed in (
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ):
        with pytest.raises(UnitMismatch) as refusal:
            mixed(cny(1), Money(1, "USD"))
        assert refusal.value.facts == {"left": "CNY", "right": "USD"}
    assert cny(1) != Money(1, "USD")


@given(same_unit)
def test_arithmetic_and_order_are_those_of_whole_numbers(pair):
    left, right = pair
    assert (left + right).minor == left.minor + right.minor
    assert left - right == left + -right
    assert abs(left).minor == abs(left.minor)
    assert (left < right, left <= right, left > right, left >= right) == (
        left.minor < right.minor, left.minor <= right.minor,
        left.minor > right.minor, left.minor >= right.minor,
    )  # fmt: skip
    assert sum([left, right], start=Money.zero(left.unit)) == left + right


def test_money_is_small_frozen_and_survives_a_pickle():
    assert not hasattr(cny(1), "__dict__")
    assert pickle.loads(pickle.dumps(cny(1))) == cny(1)  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        cny(1).minor = 2


@pytest.mark.parametrize(("unit", "scale"), [("CNY", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("PTS", 0), ("QPT", 0)])
def test_units_have_the_scale_of_the_standard(unit, scale):
    assert Unit.of(unit) == Unit(unit, scale)
    assert str(Unit.of(unit)) == unit


@pytest.mark.parametrize("unit", ["XAU", "XXX", "", "CN", "ZZZ"])
def test_units_without_a_smallest_part_are_none(unit):
    with pytest.raises(UnknownUnit):
        Unit.of(unit)


@pytest.mark.parametrize("weights", [0, -1, [], [0, 0], [1, -1], [2, -1]])
def test_split_refuses_weights_that_divide_nothing(weights):
    with pytest.raises(ValueError, match="cannot split"):
        cny(100).split(weights)


def test_split_gives_what_is_left_to_the_largest_remainders_then_the_earliest():
    assert cny(100).split(3) == [cny(34), cny(33), cny(33)]
    assert cny(-100).split(3) == [cny(-34), cny(-33), cny(-33)]
    assert cny(10).split([1, 2, 4]) == [cny(1), cny(3), cny(6)]
    assert cny(1).split([0, 1, 1]) == [cny(0), cny(1), cny(0)]


@given(moneys, st.lists(st.integers(0, 10**12), min_size=1, max_size=30).filter(any))
def test_split_loses_nothing_and_strays_less_than_one_part_from_the_quota(money, weights):
    shares = money.split(weights)

    assert sum(share.minor for share in shares) == money.minor
    assert all(
        abs(share.minor * sum(weights) - money.minor * weight) < sum(weights)
        for share, weight in zip(shares, weights, strict=True)
    )
    assert shares == money.split(weights)
    assert [-share for share in shares] == (-money).split(weights)


@given(minors, st.integers(1, 10**12) | st.integers(-(10**12), -1), st.sampled_from(Rounding))
def test_dividing_rounds_as_decimal_does(numerator, denominator, rounding):
    # Scaling a quotient with 200 digits keeps every tie a tie; what cannot be a tie is far enough from one.
    quotient = EXACT.divide(Decimal(numerator), Decimal(denominator))
    assert divide(numerator, denominator, rounding) == int(quotient.to_integral_value(rounding.value))


@given(st.integers(-1000, 1000), st.sampled_from(Rounding))
def test_dividing_rounds_ties_as_decimal_does(odd, rounding):
    assert divide(2 * odd + 1, 2, rounding) == int((Decimal(2 * odd + 1) / 2).to_integral_value(rounding.value))


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("HALF_EVEN", (2, -2)), ("HALF_UP", (3, -3)), ("HALF_DOWN", (2, -2)), ("UP", (3, -3)), ("DOWN", (2, -2)),
     ("CEILING", (3, -2)), ("FLOOR", (2, -3))],
)  # fmt: skip
def test_a_percentage_rounds_as_it_is_named(rounding, expected):
    named = Rounding[rounding]
    assert (
        cny(10).share(Decimal("0.25"), rounding=named).minor,
        cny(-10).share(Decimal("0.25"), rounding=named).minor,
    ) == expected
    assert cny(10).basis_points(2500, rounding=named).minor == expected[0]


@given(moneys, st.integers(0, 10_000), st.sampled_from(Rounding))
def test_basis_points_are_the_same_share_as_their_decimal(money, points, rounding):
    assert money.basis_points(points, rounding=rounding) == money.share(Decimal(points) / 10_000, rounding=rounding)


@given(moneys, st.integers(0, 10_000))
def test_a_share_and_its_complement_are_the_whole(money, points):
    part = money.basis_points(points, rounding=Rounding.FLOOR)
    assert part + money.basis_points(10_000 - points, rounding=Rounding.CEILING) == money


def test_a_share_that_the_books_cannot_hold_is_refused():
    with pytest.raises(AmountOutOfRange):
        cny(MINOR_MAX).share(Decimal(2), rounding=Rounding.DOWN)
    with pytest.raises(AmountOutOfRange):
        cny(MINOR_MIN).basis_points(10_001, rounding=Rounding.DOWN)


@pytest.mark.parametrize("ratio", ["NaN", "Infinity"])
def test_a_share_of_no_number_is_a_bug(ratio):
    with pytest.raises((ValueError, OverflowError)):
        cny(1).share(Decimal(ratio), rounding=Rounding.DOWN)


@pytest.mark.parametrize(
    ("money", "language", "text"),
    [
        (cny(123456), "en", "CN¥1,234.56"),
        (cny(-123456), "en", "-CN¥1,234.56"),
        (cny(1250), "zh-hans", "¥12.50"),
        (Money(1250, "EUR"), "de", "12,50\N{NO-BREAK SPACE}€"),
        (Money(1250, "JPY"), "en", "¥1,250"),
        (Money(1250, "IQD"), "en", "IQD1.250"),  # Babel alone would print no decimals
        (Money(MINOR_MAX, "CLF"), "en", "CLF922,337,203,685,477.5807"),
        (Money(1, "PTS"), "en", "1 point"),
        (Money(-12500, "PTS"), "en", "-12,500 points"),
        (Money(1, "QPT"), "en", "1 qualifying point"),
        (Money(0, "QPT"), "en", "0 qualifying points"),
    ],
)
def test_amounts_are_shown_as_their_readers_write_them(money, language, text):
    assert formats.amount(money, language=language) == text


def test_amounts_are_shown_in_the_active_language(settings):
    settings.LANGUAGE_CODE = "en"
    assert formats.amount(cny(5)) == "CN¥0.05"


@given(moneys, st.sampled_from(["en", "zh-hans", "de"]))
def test_no_digit_is_lost_in_display(money, language):
    shown = "".join(character for character in formats.amount(money, language=language) if character.isdigit())
    assert int(shown) == abs(money.minor)


def test_decimal_is_exact():
    assert Money(MINOR_MIN, "CNY").decimal == Decimal("-92233720368547758.08")
    assert Rounding.HALF_EVEN.value == ROUND_HALF_EVEN


@pytest.mark.parametrize(
    ("text", "unit", "language", "minor"),
    [
        ("12.5", "CNY", "en", 1250),
        (" 1,234.50 ", "CNY", "en", 123450),
        ("1,234,567", "JPY", "zh-hans", 1234567),
        ("1234.567", "KWD", "zh-hans", 1234567),
        ("1.234,50", "EUR", "de", 123450),
        ("1\u202f234,5", "EUR", "fr", 123450),
        ("1 234,5", "EUR", "fr", 123450),
    ],
)
def test_amount_is_read_as_its_language_writes_it(text, unit, language, minor):
    assert formats.read(text, unit, language=language) == Money(minor, unit)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("1.234,50", "en"),
        ("1,234.50", "de"),
        ("12,34", "en"),
        ("1,2345", "en"),
        ("1,,234", "en"),
        ("-1", "en"),
        ("", "en"),
        ("１２", "zh-hans"),
        ("1e3", "en"),
        (".5", "en"),
        ("5.", "en"),
    ],
)
def test_amount_of_another_language_is_refused_not_guessed(text, language):
    with pytest.raises(AmountMalformed):
        formats.read(text, "CNY", language=language)


def test_amount_too_fine_for_its_unit_is_refused_in_any_language():
    with pytest.raises(AmountTooFine):
        formats.read("1,5", "JPY", language="de")


@given(st.integers(0, 10**15), st.sampled_from(["CNY", "JPY", "KWD", "PTS"]))
def test_what_is_typed_plainly_is_read_exactly(minor, unit):
    money = Money(minor, unit)
    assert formats.read(str(money).split()[0], unit, language="en") == money
