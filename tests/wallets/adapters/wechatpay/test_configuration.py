"""WeChat Pay: what it takes to be set up, and what it never shows."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import Secret
from tests.wallets.adapters.keys import OURS, THEIRS
from tests.wallets.adapters.orders import REFERENCE
from tests.wallets.adapters.wechatpay.asked import ACCOUNT, NATIVE
from tests.wallets.adapters.wechatpay_server import (
    APIV3_KEY,
    APPID,
    MCHID,
    PUBLIC_KEY_ID,
    notification,
    paid,
)
from wallets.gateways.base import OrderKind
from wallets.gateways.wechatpay import WeChatPay


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"private_key": Secret("bm90IGEga2V5")}, "WECHATPAY_PRIVATE_KEY"),
        ({"public_key": "bm90IGEga2V5"}, "WECHATPAY_PUBLIC_KEY"),
        ({"public_key_id": ""}, "go together"),
        ({"apiv3_key": Secret("bm90short")}, "WECHATPAY_APIV3_KEY"),
    ],
)
def test_keys_that_are_none_are_refused_without_showing_them(wrong, named):
    options = {
        "private_key": Secret(OURS.pem),
        "apiv3_key": Secret(APIV3_KEY),
        "public_key": THEIRS.public,
        "public_key_id": PUBLIC_KEY_ID,
        **wrong,
    }

    with pytest.raises(ImproperlyConfigured, match=named) as refusal:
        WeChatPay(name="wechatpay", mchid=MCHID, appid=APPID, cert_serial=OURS.serial, **options)

    assert "bm90" not in str(refusal.value)


def test_nothing_that_it_says_shows_a_secret(gateway, caplog):
    caplog.set_level(logging.DEBUG)

    answers = [gateway.begin(NATIVE), gateway.pay_out(ACCOUNT), gateway.query(REFERENCE, OrderKind.PAYOUT)]
    gateway.read(*notification("TRANSACTION.SUCCESS", paid()))

    seen = f"{caplog.text} {answers} {gateway!r} {ACCOUNT!r}"
    assert not [secret for secret in (OURS.bare[:40], APIV3_KEY, "oOpenid1", "oPayer") if secret in seen]
