"""WeChat Pay's adapter, through its package, against a small server that speaks WeChat Pay's protocol."""

import json
import logging
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.keys import OURS, STRANGERS, THEIRS, Key
from tests.wallets.adapters.orders import REFERENCE, cny, payout, refund, top_up, usd
from tests.wallets.adapters.wechatpay_server import (
    APIV3_KEY,
    APPID,
    MCHID,
    PUBLIC_KEY_ID,
    WeChatServer,
    notification,
    paid,
)
from wallets.gateways.base import Answer, Capability, NotAuthentic, OrderKind, Outcome
from wallets.gateways.wechatpay import WeChatPay

NATIVE = top_up(cny(1_050), method="wechat_pay")
ACCOUNT = payout(cny(500), method="wechat_pay_account", number="oOpenid1")
REFUND = refund(cny(400), method="wechat_pay", original=REFERENCE)
CODE = Answer(outcome=Outcome.REQUIRES_ACTION, action_code=f"weixin://wxpay/bizpayurl?pr={REFERENCE[:9]}")


@pytest.fixture
def server():
    with WeChatServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    return made.wechatpay(server.url)


@pytest.fixture
def by_certificate(server):
    """Without WeChat Pay's public key: it verifies by certificates, which it asks for."""
    server.signer = {"key": THEIRS, "serial": THEIRS.serial}
    return made.wechatpay(server.url, public_key="", public_key_id="")


# Every outcome


def test_a_code_to_scan(server, gateway):
    assert gateway.begin(NATIVE) == CODE
    assert gateway.begin(NATIVE) == CODE
    assert server.payments[REFERENCE]["amount"] == {"total": 1_050, "currency": "CNY"}


def test_an_address_to_go_to(server, gateway):
    answer = gateway.begin(top_up(cny(1), method="wechat_pay_h5", details={"client_ip": "203.0.113.7"}))

    assert answer.action_url.startswith("https://wx.tenpay.com/")
    assert server.payments[REFERENCE]["asked"]["scene_info"]["payer_client_ip"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("wechat_pay_h5", "client_ip_missing"),
        ("wechat_pay_jsapi", "openid_missing"),
        ("card", "method_not_supported"),
    ],
)
def test_an_order_that_lacks_something_is_not_sent(server, gateway, method, reason):
    assert gateway.begin(top_up(cny(1), method=method)) == Answer(outcome=Outcome.FAILED, reason=reason)
    assert server.requests == []


def test_a_call_inside_wechat_is_signed_by_us(gateway):
    answer = gateway.begin(top_up(cny(1), method="wechat_pay_jsapi", details={"openid": "oOpenid1"}))

    call = json.loads(answer.action_code)
    text = f"{APPID}\n{call['timeStamp']}\n{call['nonceStr']}\nprepay_id=wx1\n"
    assert answer.outcome == Outcome.REQUIRES_ACTION
    assert OURS.signed(text, call["paySign"])


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        ({"trade_state": "SUCCESS"}, Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(1_050))),
        ({"trade_state": "REFUND"}, Answer(outcome=Outcome.UNKNOWN, gateway_reference="t1", reason="refunded_since")),
        ({"trade_state": "NOTPAY"}, Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference="t1")),
        ({"trade_state": "USERPAYING"}, Answer(outcome=Outcome.PENDING, gateway_reference="t1")),
        ({"trade_state": "CLOSED"}, Answer(outcome=Outcome.FAILED, gateway_reference="t1", reason="closed")),
        ({"trade_state": "ODD"}, Answer(outcome=Outcome.UNKNOWN, gateway_reference="t1", reason="strange_status")),
        (
            {"trade_state": "SUCCESS", "amount": {"total": 9_900, "currency": "CNY"}},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(9_900)),
        ),
        (
            {"trade_state": "SUCCESS", "amount": {"total": 1_050, "currency": "USD"}},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=usd(1_050)),
        ),
        (
            {"trade_state": "SUCCESS", "amount": {"total": 10.5, "currency": "CNY"}},
            Answer(outcome=Outcome.UNKNOWN, reason="not_understood"),
        ),
        (
            {"trade_state": "SUCCESS", "out_trade_no": "another"},
            Answer(outcome=Outcome.UNKNOWN, reason="not_understood"),
        ),
    ],
)
def test_a_payment_stands_as_wechat_pay_says(server, gateway, says, answer):
    paid = {"out_trade_no": REFERENCE, "transaction_id": "t1", "amount": {"total": 1_050, "currency": "CNY"}}
    server.says = 200, {**paid, **says}

    assert gateway.query(REFERENCE, OrderKind.TOP_UP) == answer


@pytest.mark.parametrize(
    ("status", "code", "of_payment", "of_payout"),
    [
        (400, "PARAM_ERROR", Outcome.FAILED, Outcome.FAILED),
        (401, "SIGN_ERROR", Outcome.FAILED, Outcome.FAILED),
        (403, "NO_AUTH", Outcome.FAILED, Outcome.FAILED),
        (400, "INVALID_REQUEST", Outcome.FAILED, Outcome.UNKNOWN),
        (403, "NOT_ENOUGH", Outcome.FAILED, Outcome.UNKNOWN),
        (400, "ORDERPAID", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (403, "OUT_TRADE_NO_USED", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (400, "ALREADY_EXISTS", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (429, "FREQUENCY_LIMITED", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (403, "USER_PAYING", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (500, "SYSTEM_ERROR", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (500, "PARAM_ERROR", Outcome.UNKNOWN, Outcome.UNKNOWN),
    ],
)
def test_only_what_surely_did_nothing_failed(server, gateway, status, code, of_payment, of_payout):
    server.says = status, {"code": code, "message": "不"}

    assert gateway.begin(NATIVE) == Answer(outcome=of_payment, reason=code)
    assert gateway.pay_out(ACCOUNT) == Answer(outcome=of_payout, reason=code)


@pytest.mark.parametrize("trouble", [500, 503, 429, "hang", "cut", "garbage"])
@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_trouble_on_the_way_is_unknown(server, gateway, trouble, act):
    server.trouble = trouble

    assert getattr(gateway, act)(NATIVE if act == "begin" else ACCOUNT).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("trouble", [500, 400, 404, "hang", "cut", "garbage"])
@pytest.mark.parametrize("kind", list(OrderKind))
def test_a_question_without_an_answer_fails_no_order(server, gateway, trouble, kind):
    server.trouble = trouble

    assert gateway.query(REFERENCE, kind).outcome == Outcome.UNKNOWN


def test_where_nobody_listens_nothing_was_sent(nobody):
    assert made.wechatpay(nobody).pay_out(ACCOUNT) == Answer(outcome=Outcome.FAILED, reason="not_reached")
    assert made.wechatpay(nobody).query(REFERENCE, OrderKind.PAYOUT).outcome == Outcome.UNKNOWN


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


# Once only


def test_a_payment_whose_answer_was_lost_is_found(server, gateway):
    server.trouble, server.late = "cut", True
    assert gateway.begin(NATIVE).outcome == Outcome.UNKNOWN
    server.trouble = None
    server.pay(REFERENCE)

    found = gateway.query(REFERENCE, OrderKind.TOP_UP)

    assert found == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="42000001", amount=cny(1_050))
    assert gateway.begin(NATIVE) == Answer(outcome=Outcome.UNKNOWN, reason="ORDERPAID")
    assert server.moved == [1_050]


def test_another_amount_under_the_reference_is_unknown_since_the_first_may_be_paid(server, gateway):
    gateway.begin(NATIVE)

    answer = gateway.begin(top_up(cny(9_900), method="wechat_pay"))

    assert answer == Answer(outcome=Outcome.UNKNOWN, reason="OUT_TRADE_NO_USED")


def test_a_payout_waits_for_its_member_and_then_stands_as_told(server, gateway):
    asked = Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference="13300001", action_code="affffddafdfafddffda==")

    assert gateway.pay_out(ACCOUNT) == asked
    assert gateway.pay_out(ACCOUNT) == asked
    sent = server.transfers[REFERENCE]["asked"]
    assert (sent["openid"], sent["user_name"], sent["transfer_amount"]) == ("oOpenid1", "Wang Fang", 500)
    assert sent["transfer_scene_report_infos"] == [{"info_type": "岗位类型", "info_content": "会员"}]

    for state, outcome in {
        "SUCCESS": Outcome.SUCCEEDED,
        "TRANSFERING": Outcome.PENDING,
        "FAIL": Outcome.FAILED,
        "CANCELLED": Outcome.FAILED,
        "ODD": Outcome.UNKNOWN,
    }.items():
        server.transfers[REFERENCE]["state"] = state
        assert gateway.query(REFERENCE, OrderKind.PAYOUT).outcome == outcome


def test_a_holders_name_leaves_encrypted(server, gateway):
    gateway.pay_out(ACCOUNT)

    assert b"Wang Fang" not in server.requests[-1][3]


def test_a_payout_to_nobody_is_refused(gateway):
    answer = gateway.pay_out(payout(cny(500), method="wechat_pay_account", number="nobody"))

    assert answer == Answer(outcome=Outcome.FAILED, reason="PARAM_ERROR")


def test_without_a_scene_there_are_no_payouts(server):
    gateway = made.wechatpay(server.url, transfer_scene="")

    assert Capability.PAYOUT not in gateway.capabilities
    assert gateway.pay_out(ACCOUNT) == Answer(outcome=Outcome.FAILED, reason="payout_not_supported")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("SUCCESS", Outcome.SUCCEEDED),
        ("PROCESSING", Outcome.PENDING),
        ("CLOSED", Outcome.FAILED),
        ("ABNORMAL", Outcome.UNKNOWN),
    ],
)
def test_a_refund_gives_back_once_and_stands_as_told(server, gateway, status, outcome):
    gateway.begin(NATIVE)
    server.pay(REFERENCE)

    first = gateway.refund(REFUND)

    assert first == Answer(outcome=Outcome.PENDING, gateway_reference="50000001")
    assert gateway.refund(REFUND) == first
    assert server.moved == [1_050, -400]
    server.refunds[REFUND.reference]["status"] = status
    assert gateway.query(REFUND.reference, OrderKind.REFUND).outcome == outcome


@pytest.mark.parametrize(
    ("amount", "original", "reason"),
    [
        (cny(9_999), REFERENCE, "PARAM_ERROR"),
        (cny(100), "nothing", "ORDER_NOT_EXIST"),
        (usd(100), REFERENCE, "currency_not_supported"),
    ],
)
def test_a_refund_of_something_else_is_refused(server, gateway, amount, original, reason):
    gateway.begin(NATIVE)
    server.pay(REFERENCE)

    answer = gateway.refund(refund(amount, method="wechat_pay", original=original))

    assert answer == Answer(outcome=Outcome.FAILED, reason=reason)
    assert server.moved == [1_050]


def test_what_wechat_pay_has_never_seen_is_absent(gateway):
    for kind in OrderKind:
        assert gateway.query(REFERENCE, kind) == Answer(outcome=Outcome.ABSENT)


def test_a_reference_that_would_change_the_address_is_not_asked_about(server, gateway):
    assert gateway.query("a/../b", OrderKind.TOP_UP).outcome == Outcome.UNKNOWN
    assert server.requests == []


@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_other_currencies_are_refused(server, gateway, act):
    order = top_up(usd(5), method="wechat_pay") if act == "begin" else payout(usd(5), method="x", number="o1")

    assert getattr(gateway, act)(order) == Answer(outcome=Outcome.FAILED, reason="currency_not_supported")
    assert server.requests == []


# Configuration


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
