"""Stripe: what it takes to be set up, and what it never shows."""

import dataclasses

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.orders import PAN, card, top_up, usd
from tests.wallets.adapters.stripe_server import KEY, WEBHOOK
from wallets.gateways.stripe import Stripe


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"key": Secret("pk_test_public")}, "STRIPE_SECRET_KEY"),
        ({"webhook_secret": Secret("sk_test_1")}, "STRIPE_WEBHOOK_SECRET"),
        ({"currencies": ("USD", "PTS")}, "STRIPE_CURRENCIES names what Stripe does not know: PTS"),
    ],
)
def test_wrong_keys_are_refused_without_showing_them(wrong, named):
    options = {"name": "stripe", "key": Secret(KEY), "webhook_secret": Secret(WEBHOOK), **wrong}

    with pytest.raises(ImproperlyConfigured, match=named) as refusal:
        Stripe(**options)

    assert "pk_test_public" not in str(refusal.value)


def test_a_live_key_is_known_from_a_tests():
    assert made.stripe("http://127.0.0.1:1", key="rk_live_1").live
    assert not made.stripe("http://127.0.0.1:1").live


def test_what_it_supports(gateway):
    assert gateway.supports(method="card", currency="USD")
    assert not gateway.supports(method="card", currency="CNY")
    assert not gateway.supports(method="alipay", currency="USD")


def test_orders_show_no_secret():
    order = dataclasses.replace(top_up(usd(1), method="card"), card=card())

    assert PAN not in repr(order)
