"""Operators see and type whole units; services hear of smallest parts."""

import pytest
from django import forms
from django.contrib.admin import site

from paymentsite.core.amount_forms import AmountField, AmountForm, PercentField
from paymentsite.core.backoffice import BackOffice
from paymentsite.core.formats import read_percent, share


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


class ShareForm(forms.Form):
    share = PercentField(most=12_000)
    discount = PercentField(required=False)


@pytest.mark.parametrize(
    ("typed", "bp"), [("120", 12_000), ("12.5", 12_50), (" 0.01 % ", 1), ("0", 0), ("100%", 100_00), ("5％", 5_00)]
)
def test_shares_are_typed_in_percent(typed, bp):
    form = ShareForm({"share": typed})

    assert form.is_valid()
    assert form.cleaned_data == {"share": bp, "discount": None}


@pytest.mark.parametrize("typed", ["", "-1", "0.001", "a", "1e2", "1,5", "٣", "9" * 30, "120.01", "NaN"])
def test_what_is_no_share_is_refused_beside_its_field(typed):
    form = ShareForm({"share": typed, "discount": ""})

    assert not form.is_valid()
    assert list(form.errors) == ["share"]


def test_form_begins_with_percent_and_keeps_what_was_typed():
    assert [ShareForm(initial={"share": bp})["share"].value() for bp in (12_000, 12_50, 1, 0)] == [
        "120",
        "12.5",
        "0.01",
        "0",
    ]
    assert ShareForm({"share": "1,5"})["share"].value() == "1,5"


@pytest.mark.parametrize("language", ["en", "zh-hans", "de"])
def test_each_share_is_read_as_it_is_written(language):
    for bp in (0, 1, 10, 100, 12_50, 10_000, 1_000_000):
        assert read_percent(share(bp, language=language), language=language) == bp


def test_every_share_of_the_back_office_is_asked_for_and_shown_in_percent():
    ours = [each for each in site._registry.values() if isinstance(each, BackOffice)]
    forms_ = {getattr(each, name).deed.form for each in ours for name in (*each.deeds, *each.add_deeds)}
    asked = [(form, field) for form in forms_ for name, field in form.base_fields.items() if name.endswith("_bp")]

    assert {type(field) for _form, field in asked} == {PercentField}
    assert len(asked) > 5
    shown = [(each, name) for each in ours for name in (*each.list_display, *(each.fields or ()), *each.facts)]
    assert [(each, name) for each, name in shown if str(name).endswith("_bp")] == []
