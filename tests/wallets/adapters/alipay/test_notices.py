"""What Alipay tells: proven to be its own, or not listened to."""

import json
from datetime import datetime, timedelta

import pytest

from tests.wallets.adapters.alipay_server import BEIJING, notification
from tests.wallets.adapters.keys import STRANGERS
from tests.wallets.adapters.orders import REFERENCE, cny
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Outcome


def paid(**more):
    fields = {
        "trade_status": "TRADE_SUCCESS",
        "out_trade_no": REFERENCE,
        "trade_no": "t1",
        "total_amount": "10.50",
        "buyer_logon_id": "wan***@example.com",
        "subject": "充值",
        "body": "",
    }
    return {**fields, **more}


def test_a_signed_notification_is_told_without_the_payer(gateway):
    told = gateway.read({}, notification(**paid()))

    assert (told.event_id, told.kind, told.about) == ("n-1", OrderKind.TOP_UP, REFERENCE)
    assert told.answer == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(1_050))
    assert "wan***" not in told.safe_body
    assert gateway.receipt.body == "success"


@pytest.mark.parametrize(
    ("fields", "kind", "about", "outcome"),
    [
        (paid(trade_status="TRADE_CLOSED"), OrderKind.TOP_UP, REFERENCE, Outcome.FAILED),
        (paid(trade_status="WAIT_BUYER_PAY"), OrderKind.TOP_UP, REFERENCE, Outcome.REQUIRES_ACTION),
        (
            paid(gmt_refund="2026-11-26 10:00:00.000", refund_fee="4.00", out_biz_no="r1"),
            OrderKind.REFUND,
            "r1",
            Outcome.SUCCEEDED,
        ),
        (
            {
                "msg_method": "alipay.fund.trans.order.changed",
                "utc_timestamp": str(int(datetime.now(BEIJING).timestamp() * 1000)),
                "biz_content": json.dumps(
                    {"out_biz_no": REFERENCE, "order_id": "o1", "status": "REFUND", "trans_amount": "5.00"}
                ),
            },
            OrderKind.PAYOUT,
            REFERENCE,
            Outcome.RETURNED,
        ),
    ],
)
def test_each_notification_is_about_its_kind_of_order(gateway, fields, kind, about, outcome):
    told = gateway.read({}, notification(**fields))

    assert (told.kind, told.about, told.answer.outcome) == (kind, about, outcome)


def test_a_notification_about_nothing_of_ours_is_about_nothing(gateway):
    told = gateway.read({}, notification(notify_type="other"))

    assert (told.about, told.answer) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        notification(key=STRANGERS, **paid()),
        notification(**paid()).replace(b"10.50", b"90.50"),
        notification(**paid()) + b"&total_amount=90.50",
        notification(**paid()) + b"&extra=1",
        notification(**paid()).replace(b"sign_type=RSA2", b"sign_type=RSA"),
        notification(**paid(sign_type="RSA")),
        notification(**paid()).split(b"&sign=")[0],
        notification(**paid()).split(b"&sign=")[0] + b"&sign=%FF%",
        notification(**paid(app_id="2021000000009999")),
        notification(**paid(seller_id="2088000000009999")),
        notification(**paid(notify_id="")),
        notification(**paid(notify_time="yesterday")),
        notification(**paid(total_amount="10.505")),
        b"",
        b"{}",
        b"\xff\xfe",
    ],
    ids=range(16),
)
def test_what_does_not_prove_itself_is_not_authentic(gateway, body):
    with pytest.raises(NotAuthentic) as refusal:
        gateway.read({}, body)

    assert refusal.value.__cause__ is None


def test_an_old_notification_is_not_authentic(gateway):
    now = datetime.now(BEIJING)
    gateway.read({}, notification(at=now - timedelta(hours=47), **paid()))

    with pytest.raises(NotAuthentic):
        gateway.read({}, notification(at=now - timedelta(hours=49), **paid()))
