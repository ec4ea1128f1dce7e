"""Operators see and type whole units; services hear of smallest parts."""

import pytest
from django import forms

from paymentsite.core.amount_forms import AmountField, AmountForm


class PriceForm(AmountForm):
    price = AmountField()
    least = AmountField(required=False, otherwise=0)
    most = AmountField(required=False)
    currency = forms.CharField(required=False)


def answered(**typed: str) -> PriceForm:
    return PriceForm(typed)


@pytest.mark.parametrize(
    ("currency", "typed", "minor"),
    [("CNY", "12.5", 12_50), ("JPY", " 12 ", 12), ("KWD", "0.001", 1), ("EUR", "0", 0), ("CNY", "1,000.50", 1_000_50)],
)
def test_amounts_are_answered_in_smallest_parts(currency, typed, minor):
    form = answered(price=typed, currency=currency)

    assert form.is_valid()
    assert form.cleaned_data == {"price": minor, "least": 0, "most": None, "currency": currency}


@pytest.mark.parametrize(
    ("currency", "typed"), [("JPY", "1.5"), ("CNY", "1,5"), ("CNY", "-1"), ("CNY", "1000 CNY"), ("", "1"), ("XXQ", "1")]
)
def test_what_is_no_amount_is_refused_beside_its_field(currency, typed):
    form = answered(price=typed, currency=currency)

    assert not form.is_valid()
    assert list(form.errors) == ["price"]


def test_what_is_no_amount_is_answered_with_what_one_looks_like():
    assert answered(price="1000 CNY", currency="CNY").errors["price"] == [
        "“1000 CNY” is not an amount. Write it like 1250 or 12.50."
    ]


def test_form_begins_with_whole_units():
    row = {"price": 12_50, "least": 0, "most": None, "currency": "CNY"}
    form = PriceForm(initial=row)

    assert [form[name].value() for name in ("price", "least", "most")] == ["12.50", "0.00", None]
    assert row["price"] == 12_50


def test_amounts_of_what_has_its_currency_already_are_read_in_that():
    class Edited(AmountForm):
        price = AmountField()

    form = Edited({"price": "3.20"}, initial={"currency": "CNY", "price": 1})

    assert form.is_valid()
    assert form.cleaned_data == {"price": 3_20}
