"""Alipay's adapter, through its package, against a small server that speaks Alipay's protocol."""

import json
import logging
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.alipay_server import APP, SELLER, AlipayServer, failed, ok
from tests.wallets.adapters.keys import OURS, ROOT, STRANGERS, THEIRS
from tests.wallets.adapters.orders import REFERENCE, cny, payout, refund, top_up, usd
from wallets.gateways.alipay import Alipay
from wallets.gateways.base import Answer, Capability, OrderKind, Outcome

QR = top_up(cny(1_050), method="alipay_qr")
ACCOUNT = payout(cny(500), method="alipay_account", number="wang@example.com")


@pytest.fixture
def server():
    with AlipayServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    """With certificates, as payouts need them."""
    server.certificates = True
    return made.alipay(server.url)


# Every outcome


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


# Signatures, both ways


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


# Once only


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


# Configuration


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
