"""WeChat Pay: what becomes of an order, whatever is answered or not."""

import json

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.keys import OURS
from tests.wallets.adapters.orders import REFERENCE, cny, top_up, usd
from tests.wallets.adapters.wechatpay.asked import ACCOUNT, CODE, NATIVE
from tests.wallets.adapters.wechatpay_server import (
    APPID,
)
from wallets.gateways.base import Answer, OrderKind, Outcome


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
