"""What WeChat Pay tells: proven to be its own, or not listened to."""

import time

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.keys import STRANGERS
from tests.wallets.adapters.orders import REFERENCE, cny
from tests.wallets.adapters.wechatpay_server import (
    MCHID,
    notification,
    paid,
)
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Outcome


def test_a_signed_notification_is_told_without_the_payer(gateway):
    told = gateway.read(*notification("TRANSACTION.SUCCESS", paid()))

    assert (told.event_id, told.kind, told.about) == ("EV-1", OrderKind.TOP_UP, REFERENCE)
    assert told.answer == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="t1", amount=cny(1_050))
    assert "oPayer" not in told.safe_body
    assert "ciphertext" not in told.safe_body


@pytest.mark.parametrize(
    ("event", "resource", "kind", "about", "outcome"),
    [
        (
            "REFUND.SUCCESS",
            {
                "mchid": MCHID,
                "out_refund_no": "r1",
                "refund_status": "SUCCESS",
                "amount": {"refund": 400, "total": 1_050},
            },
            OrderKind.REFUND,
            "r1",
            Outcome.SUCCEEDED,
        ),
        (
            "REFUND.ABNORMAL",
            {"mchid": MCHID, "out_refund_no": "r1", "refund_status": "ABNORMAL"},
            OrderKind.REFUND,
            "r1",
            Outcome.UNKNOWN,
        ),
        (
            "MCHTRANSFER.BILL.FINISHED",
            {"mch_id": MCHID, "out_bill_no": "w1", "state": "SUCCESS", "transfer_amount": 500},
            OrderKind.PAYOUT,
            "w1",
            Outcome.SUCCEEDED,
        ),
    ],
)
def test_each_notification_is_about_its_kind_of_order(gateway, event, resource, kind, about, outcome):
    told = gateway.read(*notification(event, resource))

    assert (told.kind, told.about, told.answer.outcome) == (kind, about, outcome)


def test_a_notification_about_nothing_of_ours_is_about_nothing(gateway):
    told = gateway.read(*notification("COMPLAINT.CREATE", {"mchid": MCHID}))

    assert (told.about, told.answer) == (None, None)


def altered(headers, body):
    return headers, body.replace(b"EV-1", b"EV-2")


SUCCESS = "TRANSACTION.SUCCESS"


@pytest.mark.parametrize(
    "message",
    [
        lambda: notification(SUCCESS, paid(), serial="X"),
        lambda: altered(*notification(SUCCESS, paid())),
        lambda: notification(SUCCESS, paid(), key="y" * 32),
        lambda: notification(SUCCESS, paid(), at=int(time.time()) - 310),
        lambda: notification(SUCCESS, paid(), at=int(time.time()) + 310),
        lambda: notification(SUCCESS, paid(mchid="1900000009")),
        lambda: notification(SUCCESS, paid(amount={"total": 10.5})),
        lambda: notification(SUCCESS, [1]),
        lambda: notification(SUCCESS, paid(), kind="plain"),
        lambda: ({}, notification(SUCCESS, paid())[1]),
        lambda: ({**notification(SUCCESS, paid())[0], "wechatpay-signature": "é"}, b"{}"),
        lambda: ({**notification(SUCCESS, paid())[0], "wechatpay-timestamp": "٣"}, b"{}"),
        lambda: ({}, b"\xff"),
    ],
    ids=range(13),
)
def test_what_does_not_prove_itself_is_not_authentic(gateway, message):
    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(*message())

    assert refusal.value.__cause__ is None


def test_a_notification_signed_by_somebody_else_is_not_authentic(gateway):
    headers, body = notification(SUCCESS, paid())
    at, nonce = headers["wechatpay-timestamp"], headers["wechatpay-nonce"]
    headers["wechatpay-signature"] = STRANGERS.sign(f"{at}\n{nonce}\n{body.decode()}\n")

    with pytest.raises(NotAuthentic):
        gateway.read(headers, body)


def test_without_certificates_a_notification_is_told_again_later(nobody):
    with pytest.raises(NotAuthentic, match="again"):
        made.wechatpay(nobody, public_key="", public_key_id="").read(*notification(SUCCESS, paid()))
