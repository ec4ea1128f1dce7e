"""WeChat Pay: each thing happens once, however often it is asked for."""

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.orders import REFERENCE, cny, payout, refund, top_up, usd
from tests.wallets.adapters.wechatpay.asked import ACCOUNT, NATIVE, REFUND
from wallets.gateways.base import Answer, Capability, OrderKind, Outcome


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
