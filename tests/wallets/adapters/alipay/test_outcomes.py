"""Alipay: what becomes of an order, whatever is answered or not."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.alipay.asked import ACCOUNT, QR
from tests.wallets.adapters.alipay_server import failed, ok
from tests.wallets.adapters.orders import REFERENCE, cny, top_up, usd
from wallets.gateways.base import Answer, OrderKind, Outcome


@pytest.mark.parametrize(
    ("method", "api", "product"),
    [
        ("alipay", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
        ("alipay_wap", "alipay.trade.wap.pay", "QUICK_WAP_PAY"),
    ],
)
def test_the_member_is_sent_to_a_page_that_we_signed(server, gateway, method, api, product):
    answer = gateway.begin(top_up(cny(1_050), method=method))

    asked = dict(parse_qsl(urlsplit(answer.action_url).query))
    content = json.loads(asked["biz_content"])
    assert (answer.outcome, server.requests) == (Outcome.REQUIRES_ACTION, [])
    assert answer.action_url.startswith(f"{server.url}/gateway.do?")
    assert server.refusal(asked) is None
    assert asked["method"] == api
    assert (asked["notify_url"], asked["return_url"]) == (
        "https://pay.example.com/hooks/x/",
        "https://pay.example.com/back",
    )
    assert (content["out_trade_no"], content["total_amount"], content["product_code"]) == (REFERENCE, "10.50", product)


def test_a_code_to_scan(gateway):
    answer = Answer(outcome=Outcome.REQUIRES_ACTION, action_code=f"https://qr.alipay.com/{REFERENCE}")

    assert gateway.begin(QR) == answer
    assert gateway.begin(QR) == answer


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        (
            {"trade_status": "TRADE_SUCCESS"},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(1_050)),
        ),
        (
            {"trade_status": "TRADE_FINISHED"},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(1_050)),
        ),
        ({"trade_status": "WAIT_BUYER_PAY"}, Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference="t1")),
        (
            {"trade_status": "TRADE_CLOSED"},
            Answer(outcome=Outcome.FAILED, gateway_reference="t1", reason="closed_unpaid"),
        ),
        (
            {"trade_status": "TRADE_CLOSED", "send_pay_date": "2026-11-26 10:00:00"},
            Answer(outcome=Outcome.RETURNED, gateway_reference="t1", amount=cny(1_050), reason="refunded_whole"),
        ),
        (
            {"trade_status": "TRADE_ODD"},
            Answer(outcome=Outcome.UNKNOWN, gateway_reference="t1", reason="strange_status"),
        ),
        (
            {"trade_status": "TRADE_SUCCESS", "total_amount": "99.00"},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(9_900)),
        ),
        (
            {"trade_status": "TRADE_SUCCESS", "trans_currency": "USD"},
            Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=usd(1_050)),
        ),
        (
            {"trade_status": "TRADE_SUCCESS", "total_amount": "10.505"},
            Answer(outcome=Outcome.UNKNOWN, reason="unreadable"),
        ),
        ({"trade_status": "TRADE_SUCCESS", "total_amount": 10.5}, Answer(outcome=Outcome.UNKNOWN, reason="unreadable")),
        (
            {"trade_status": "TRADE_SUCCESS", "out_trade_no": "another"},
            Answer(outcome=Outcome.UNKNOWN, reason="unreadable"),
        ),
    ],
)
def test_a_payment_stands_as_alipay_says(server, gateway, says, answer):
    server.says = ok(**{"trade_no": "t1", "out_trade_no": REFERENCE, "total_amount": "10.50", **says})

    assert gateway.query(REFERENCE, OrderKind.TOP_UP) == answer


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        (failed("ACQ.INVALID_PARAMETER"), Outcome.FAILED),
        (failed("PAYEE_NOT_EXIST"), Outcome.FAILED),
        (failed("isv.insufficient-isv-permissions", "40006"), Outcome.FAILED),
        (failed("isv.missing-method", "40001"), Outcome.FAILED),
        (failed("ACQ.SYSTEM_ERROR"), Outcome.UNKNOWN),
        (failed("SYSTEM_ERROR"), Outcome.UNKNOWN),
        (failed("isp.unknow-error", "20000"), Outcome.UNKNOWN),
        (failed("aop.ACQ.SYSTEM_ERROR", "40004"), Outcome.UNKNOWN),
        (failed("ACQ.TRADE_HAS_SUCCESS"), Outcome.UNKNOWN),
        (failed("REQUEST_PROCESSING"), Outcome.UNKNOWN),
        (failed("SOMETHING_NEW"), Outcome.UNKNOWN),
        (failed("wait", "10003"), Outcome.PENDING),
    ],
)
@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_only_what_surely_did_nothing_failed(server, gateway, says, outcome, act):
    server.says = says

    assert getattr(gateway, act)(QR if act == "begin" else ACCOUNT).outcome == outcome


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (500, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
        (429, Outcome.UNKNOWN),
        ("hang", Outcome.UNKNOWN),
        ("cut", Outcome.UNKNOWN),
        ("garbage", Outcome.UNKNOWN),
        (403, Outcome.FAILED),
    ],
)
@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_trouble_on_the_way_is_unknown(server, gateway, trouble, outcome, act):
    server.trouble = trouble

    assert getattr(gateway, act)(QR if act == "begin" else ACCOUNT).outcome == outcome


@pytest.mark.parametrize("trouble", [500, 403, "hang", "cut", "garbage"])
@pytest.mark.parametrize("kind", list(OrderKind))
def test_a_question_without_an_answer_fails_no_order(server, gateway, trouble, kind):
    server.trouble = trouble

    assert gateway.query(REFERENCE, kind, gateway_reference="t1").outcome == Outcome.UNKNOWN


def test_where_nobody_listens_nothing_was_sent(nobody):
    gateway = made.alipay(nobody)

    assert gateway.pay_out(ACCOUNT) == Answer(outcome=Outcome.FAILED, reason="not_reached")
    assert gateway.query(REFERENCE, OrderKind.PAYOUT).outcome == Outcome.UNKNOWN
