"""Alipay: what it takes to be set up, and what it never shows."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.alipay.asked import ACCOUNT, QR
from tests.wallets.adapters.alipay_server import APP, SELLER
from tests.wallets.adapters.keys import OURS, ROOT, THEIRS
from tests.wallets.adapters.orders import REFERENCE
from wallets.gateways.alipay import Alipay
from wallets.gateways.base import OrderKind


@pytest.mark.parametrize(
    "wrong",
    [
        {"private_key": Secret("bm90IGEga2V5")},
        {"public_key": "bm90IGEga2V5"},
        {"public_key": ""},
        {"certificates": (OURS.certificate, "no", ROOT.certificate)},
    ],
)
def test_keys_that_are_none_are_refused_without_showing_them(wrong):
    options = {"public_key": THEIRS.public, "private_key": Secret(OURS.bare), **wrong}
    if "certificates" in wrong:
        options["public_key"] = ""

    with pytest.raises(ImproperlyConfigured) as refusal:
        Alipay(name="alipay", app_id=APP, seller_id=SELLER, **options)

    assert "bm90" not in str(refusal.value)


def test_its_sandbox_is_known_from_the_real_one(server):
    assert made.alipay(server.url).live
    assert not made.alipay(server.url, sandbox=True).live


def test_nothing_that_it_says_shows_a_secret(server, gateway, caplog):
    caplog.set_level(logging.DEBUG)

    answers = [gateway.begin(QR), gateway.pay_out(ACCOUNT), gateway.query(REFERENCE, OrderKind.PAYOUT)]

    seen = f"{caplog.text} {answers} {gateway!r} {ACCOUNT!r}"
    assert not [secret for secret in (OURS.bare[:40], "wang@example.com") if secret in seen]


def test_its_package_writes_past_nobody():
    log = logging.getLogger("python-alipay-sdk")

    assert (log.handlers, log.level) == ([], logging.WARNING)
