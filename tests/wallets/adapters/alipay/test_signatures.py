"""Alipay: who signs and who is believed."""

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.alipay.asked import ACCOUNT, QR
from tests.wallets.adapters.alipay_server import failed, ok
from tests.wallets.adapters.keys import STRANGERS
from tests.wallets.adapters.orders import REFERENCE
from wallets.gateways.base import Answer, Capability, OrderKind, Outcome


def test_an_answer_signed_by_somebody_else_is_not_believed(server, gateway):
    server.signer = STRANGERS

    assert gateway.pay_out(ACCOUNT) == Answer(outcome=Outcome.UNKNOWN, reason="wrong_signature")
    assert gateway.query(REFERENCE, OrderKind.PAYOUT) == Answer(outcome=Outcome.UNKNOWN, reason="wrong_signature")


@pytest.mark.parametrize("says", [failed("PAYEE_NOT_EXIST"), ok(out_biz_no=REFERENCE, order_id="1", status="SUCCESS")])
def test_an_unsigned_answer_is_not_believed_whatever_it_says(server, gateway, says):
    server.unsigned, server.says = True, says

    assert gateway.pay_out(ACCOUNT) == Answer(outcome=Outcome.UNKNOWN, reason="unsigned")


def test_what_we_do_not_sign_with_our_key_is_refused(server):
    assert made.alipay_by_keys(server.url, ours=STRANGERS).begin(QR) == Answer(
        outcome=Outcome.UNKNOWN, reason="unsigned"
    )
    assert server.trades == {}


def test_certificates_that_are_not_ours_are_refused(server):
    server.certificates = True

    assert made.alipay_by_keys(server.url).begin(QR).outcome == Outcome.UNKNOWN
    assert server.trades == {}


def test_keys_without_certificates_take_money_in_and_pay_nothing_out(server):
    gateway = made.alipay_by_keys(server.url)

    assert gateway.begin(QR).outcome == Outcome.REQUIRES_ACTION
    assert Capability.PAYOUT not in gateway.capabilities
    assert gateway.pay_out(ACCOUNT) == Answer(outcome=Outcome.FAILED, reason="payout_not_supported")
