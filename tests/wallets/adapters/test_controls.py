"""Controls: with a bug planted, what the other tests look for comes out wrong. Else they would prove nothing."""

import time
from datetime import datetime, timedelta

import pytest

from tests.wallets.adapters import made, stripe_server, wechatpay_server
from tests.wallets.adapters.alipay_server import BEIJING, AlipayServer
from tests.wallets.adapters.alipay_server import notification as alipay_notification
from tests.wallets.adapters.keys import STRANGERS
from tests.wallets.adapters.orders import REFERENCE, cny, payout, top_up, usd
from tests.wallets.adapters.stripe_server import StripeServer
from tests.wallets.adapters.wechatpay_server import WeChatServer
from wallets.gateways.base import OrderKind, Outcome
from wallets.gateways.network import failed

ADAPTERS = {
    "stripe": (StripeServer, made.stripe, payout(usd(500), method="stripe_account", number="acct_1"), "line"),
    "alipay": (AlipayServer, made.alipay, payout(cny(500), method="alipay_account", number="a@example.com"), "line"),
    "wechatpay": (WeChatServer, made.wechatpay, payout(cny(500), method="wechat_pay_account", number="o1"), "line"),
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_taking_every_trouble_for_a_failure_fails_what_was_paid(name, monkeypatch):
    server_class, adapter, order, module = ADAPTERS[name]
    monkeypatch.setattr(f"wallets.gateways.{name}.{module}.unknown", failed)
    with server_class() as server:
        server.trouble, server.late = "cut", True

        assert adapter(server.url).pay_out(order).outcome == Outcome.FAILED

        assert server.transfers


def test_a_package_that_verifies_nothing_believes_a_stranger(monkeypatch):
    monkeypatch.setattr("alipay.BaseAliPay._verify", lambda *_: True)
    with AlipayServer() as server:
        server.signer = STRANGERS
        server.transfers[REFERENCE] = {"out_biz_no": REFERENCE, "order_id": "o1", "status": "SUCCESS"}

        assert made.alipay(server.url).query(REFERENCE, OrderKind.PAYOUT).outcome == Outcome.SUCCEEDED


def test_a_stripe_that_forgets_keys_moves_twice():
    order = top_up(usd(1_050), method="card", details={"payment_method": "pm_good"})
    with StripeServer() as server:
        for _ in range(2):
            made.stripe(server.url).begin(order)
            server.first.clear()

        assert server.moved == [1_050, 1_050]


@pytest.mark.parametrize("name", ADAPTERS)
def test_without_a_limit_of_age_an_old_message_is_taken(name, monkeypatch):
    an_hour, a_week = int(time.time()) - 3_600, datetime.now(BEIJING) - timedelta(days=7)
    told = {"trade_status": "WAIT_BUYER_PAY", "out_trade_no": REFERENCE, "trade_no": "t1"}
    customer = stripe_server.event("customer.created", {"id": "cus_1", "object": "customer"})
    limit, value, message = {
        "stripe": ("events.TOLERANCE_SECONDS", 10**6, stripe_server.signed(customer, at=an_hour)),
        "alipay": ("notices.AGE_MAX", timedelta.max, ({}, alipay_notification(at=a_week, **told))),
        "wechatpay": (
            "line.AGE_MAX_SECONDS",
            10**6,
            wechatpay_server.notification("TRANSACTION.SUCCESS", wechatpay_server.paid(), at=an_hour),
        ),
    }[name]
    monkeypatch.setattr(f"wallets.gateways.{name}.{limit}", value)

    assert ADAPTERS[name][1]("http://127.0.0.1:1").read(*message).event_id


def test_the_guard_sees_who_leaves_the_machine(loopback):
    with pytest.raises(AssertionError):
        made.socket_to_elsewhere()

    assert loopback == [("192.0.2.1", 9)]
    loopback.clear()
