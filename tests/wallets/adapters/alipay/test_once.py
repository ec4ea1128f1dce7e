"""Alipay: each thing happens once, however often it is asked for."""

import pytest

from tests.wallets.adapters.alipay.asked import ACCOUNT, QR
from tests.wallets.adapters.orders import REFERENCE, cny, payout, refund, top_up, usd
from wallets.gateways.base import Answer, OrderKind, Outcome


def test_a_payout_whose_answer_was_lost_is_found_and_not_made_twice(server, gateway):
    server.trouble, server.late = "cut", True
    assert gateway.pay_out(ACCOUNT).outcome == Outcome.UNKNOWN
    server.trouble = None

    found = gateway.query(REFERENCE, OrderKind.PAYOUT)

    assert found == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="2026112611000001", amount=cny(500))
    assert gateway.pay_out(ACCOUNT).outcome == Outcome.SUCCEEDED
    assert server.moved == ["-5.00"]


@pytest.mark.parametrize(
    ("number", "kind"), [("wang@example.com", "ALIPAY_LOGON_ID"), ("2088123412341234", "ALIPAY_USER_ID")]
)
def test_a_payout_names_its_payee_as_alipay_knows_them(server, gateway, number, kind):
    gateway.pay_out(payout(cny(500), method="alipay_account", number=number))

    payee = {"identity": number, "identity_type": kind, "name": "Wang Fang"}
    assert server.transfers[REFERENCE]["to"] == payee


def test_a_payout_to_nobody_is_refused(gateway):
    answer = gateway.pay_out(payout(cny(500), method="alipay_account", number="nobody@example.com"))

    assert answer == Answer(outcome=Outcome.FAILED, reason="PAYEE_NOT_EXIST")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("DEALING", Outcome.PENDING),
        ("WAIT_PAY", Outcome.PENDING),
        ("FAIL", Outcome.FAILED),
        ("CLOSED", Outcome.FAILED),
        ("REFUND", Outcome.RETURNED),
        ("ODD", Outcome.UNKNOWN),
    ],
)
def test_a_payout_stands_as_alipay_says(server, gateway, status, outcome):
    gateway.pay_out(ACCOUNT)
    server.transfers[REFERENCE]["status"] = status

    assert gateway.query(REFERENCE, OrderKind.PAYOUT).outcome == outcome


def test_a_refund_gives_back_once(server, gateway):
    gateway.begin(QR)
    name = server.trades[REFERENCE]["trade_no"]
    order = refund(cny(400), method="alipay_qr", original=REFERENCE)
    assert gateway.query(order.reference, OrderKind.REFUND, gateway_reference=name) == Answer(outcome=Outcome.ABSENT)

    assert gateway.refund(order) == Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name)

    again = Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=cny(400))
    assert gateway.refund(order) == again
    assert gateway.query(order.reference, OrderKind.REFUND, gateway_reference=name) == again
    assert server.moved == ["-4.00"]


@pytest.mark.parametrize(
    ("amount", "original", "answer"),
    [
        (cny(9_999), REFERENCE, Answer(outcome=Outcome.FAILED, reason="ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")),
        (cny(100), "nothing", Answer(outcome=Outcome.FAILED, reason="ACQ.TRADE_NOT_EXIST")),
        (usd(100), REFERENCE, Answer(outcome=Outcome.FAILED, reason="currency_not_supported")),
    ],
)
def test_a_refund_of_something_else_is_refused(server, gateway, amount, original, answer):
    gateway.begin(QR)

    assert gateway.refund(refund(amount, method="alipay_qr", original=original)) == answer
    assert server.moved == []


def test_another_amount_under_the_same_refund_is_unknown_since_the_first_stands(server, gateway):
    gateway.begin(QR)
    gateway.refund(refund(cny(400), method="alipay_qr", original=REFERENCE))

    answer = gateway.refund(refund(cny(500), method="alipay_qr", original=REFERENCE))

    assert answer == Answer(outcome=Outcome.UNKNOWN, reason="ACQ.DISCORDANT_REPEAT_REQUEST")
    assert server.moved == ["-4.00"]


def test_a_refund_under_way_is_pending(server, gateway):
    gateway.begin(QR)
    order = refund(cny(400), method="alipay_qr", original=REFERENCE)
    gateway.refund(order)
    del server.refunds[order.reference]["refund_status"]

    assert gateway.refund(order).outcome == Outcome.PENDING


@pytest.mark.parametrize("kind", [OrderKind.TOP_UP, OrderKind.PAYOUT])
def test_what_alipay_has_never_seen_is_absent(gateway, kind):
    assert gateway.query(REFERENCE, kind) == Answer(outcome=Outcome.ABSENT)


def test_a_refund_of_an_unnamed_payment_cannot_be_asked_about(gateway):
    assert gateway.query(REFERENCE, OrderKind.REFUND).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_other_currencies_are_refused(server, gateway, act):
    order = top_up(usd(5), method="alipay_qr") if act == "begin" else payout(usd(5), method="x", number="a@example.com")

    assert getattr(gateway, act)(order) == Answer(outcome=Outcome.FAILED, reason="currency_not_supported")
    assert server.requests == []
