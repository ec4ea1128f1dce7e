"""WeChat Pay: who signs and who is believed."""

import time

import pytest

from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.keys import OURS, STRANGERS, THEIRS, Key
from tests.wallets.adapters.orders import REFERENCE
from tests.wallets.adapters.wechatpay.asked import CODE, NATIVE
from tests.wallets.adapters.wechatpay_server import (
    APIV3_KEY,
    APPID,
    MCHID,
    PUBLIC_KEY_ID,
    notification,
    paid,
)
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Outcome
from wallets.gateways.wechatpay import WeChatPay

# Signatures, both ways


def test_what_we_do_not_sign_with_our_key_is_refused(server):
    answer = made.wechatpay(server.url, ours=STRANGERS).begin(NATIVE)

    assert answer == Answer(outcome=Outcome.FAILED, reason="SIGN_ERROR")
    assert server.payments == {}


@pytest.mark.parametrize(
    "signer",
    [
        {"key": STRANGERS, "serial": PUBLIC_KEY_ID},
        {"key": THEIRS, "serial": "PUB_KEY_ID_OTHER"},
        {"key": THEIRS, "serial": STRANGERS.serial},
        {"key": THEIRS, "serial": PUBLIC_KEY_ID, "at": int(time.time()) - 310},
    ],
)
def test_an_answer_that_does_not_prove_itself_is_not_believed(server, gateway, signer):
    server.signer = signer

    assert gateway.begin(NATIVE) == Answer(outcome=Outcome.UNKNOWN, reason="not_understood")
    assert gateway.query(REFERENCE, OrderKind.TOP_UP).outcome == Outcome.UNKNOWN


# By certificates


def test_certificates_are_fetched_decrypted_and_verified_with(server, by_certificate):
    assert server.requests == []

    assert by_certificate.begin(NATIVE) == CODE

    assert [path for _method, path, _headers, _body in server.requests] == [
        "/v3/certificates",
        "/v3/pay/transactions/native",
    ]


def test_certificates_under_another_key_are_none_and_nothing_is_asked(server):
    gateway = WeChatPay(
        name="wechatpay",
        mchid=MCHID,
        appid=APPID,
        private_key=Secret(OURS.pem),
        cert_serial=OURS.serial,
        apiv3_key=Secret("x" * 32),
        url=server.url,
    )

    assert gateway.begin(NATIVE) == Answer(outcome=Outcome.FAILED, reason="not_ready")
    assert gateway.query(REFERENCE, OrderKind.TOP_UP) == Answer(outcome=Outcome.UNKNOWN, reason="not_ready")
    assert server.payments == {}


def test_a_strangers_certificate_makes_us_ask_once_and_keeps_ours(server, by_certificate):
    by_certificate.begin(NATIVE)
    server.requests.clear()

    for _ in range(3):
        with pytest.raises(NotAuthentic):
            by_certificate.read(*notification("TRANSACTION.SUCCESS", paid(), key=APIV3_KEY, serial=STRANGERS.serial))

    assert server.requests == []  # we asked less than a minute ago
    assert by_certificate.begin(NATIVE) == CODE


def test_a_new_certificate_is_fetched_when_it_is_first_named(server, by_certificate, monkeypatch):
    by_certificate.begin(NATIVE)
    new = Key("new")
    server.platform = [THEIRS, new]
    server.signer = {"key": new, "serial": new.serial}
    monkeypatch.setattr("wallets.gateways.wechatpay.line.RENEWED_SECONDS", 0)

    assert by_certificate.begin(NATIVE) == CODE


def test_certificates_that_cannot_be_fetched_anew_leave_the_old(server, by_certificate, monkeypatch):
    by_certificate.begin(NATIVE)
    monkeypatch.setattr("wallets.gateways.wechatpay.line.RENEWED_SECONDS", 0)
    server.trouble, server.where = 500, "/v3/certificates"
    with pytest.raises(NotAuthentic):
        by_certificate.read(*notification("TRANSACTION.SUCCESS", paid(), serial=STRANGERS.serial))

    assert by_certificate.begin(NATIVE) == CODE
