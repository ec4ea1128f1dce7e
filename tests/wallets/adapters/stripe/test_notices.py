"""What Stripe tells: proven to be its own, or not listened to."""

import json
import time

import pytest

from tests.wallets.adapters.orders import REFERENCE, top_up, usd
from tests.wallets.adapters.stripe_server import event, signed
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Outcome


def paid(**more):
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "succeeded",
        "amount_received": 1_050,
        "currency": "usd",
        "metadata": {"reference": REFERENCE},
        "receipt_email": "wang@example.com",
        **more,
    }


def test_a_signed_event_is_told_without_the_payer(gateway):
    told = gateway.read(*signed(event("payment_intent.succeeded", paid())))

    assert (told.event_id, told.kind, told.about) == ("evt_1", OrderKind.TOP_UP, REFERENCE)
    assert told.answer == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="pi_1", amount=usd(1_050))
    assert json.loads(told.safe_body)["object"]["amount_received"] == 1_050
    assert "wang" not in told.safe_body


@pytest.mark.parametrize(
    ("kind", "found", "about", "outcome"),
    [
        ("payment_intent.canceled", {**paid(), "status": "canceled"}, OrderKind.TOP_UP, Outcome.FAILED),
        (
            "payment_intent.payment_failed",
            {**paid(), "status": "requires_payment_method"},
            OrderKind.TOP_UP,
            Outcome.FAILED,
        ),
        (
            "refund.updated",
            {**paid(), "object": "refund", "amount": 400, "status": "succeeded"},
            OrderKind.REFUND,
            Outcome.SUCCEEDED,
        ),
        ("refund.failed", {**paid(), "object": "refund", "status": "failed"}, OrderKind.REFUND, Outcome.FAILED),
        (
            "transfer.reversed",
            {**paid(), "object": "transfer", "amount": 500, "reversed": True},
            OrderKind.PAYOUT,
            Outcome.RETURNED,
        ),
    ],
)
def test_each_event_is_about_its_kind_of_order(gateway, kind, found, about, outcome):
    told = gateway.read(*signed(event(kind, found)))

    assert (told.kind, told.about, told.answer.outcome) == (about, REFERENCE, outcome)


def test_a_charge_back_is_told_of_the_order_whose_payment_it_is(server, gateway):
    gateway.begin(top_up(usd(1_050), method="card", details={"payment_method": "pm_good"}))
    dispute = {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "amount": 1_050, "currency": "usd"}
    message = signed(event("charge.dispute.funds_withdrawn", {**dispute, "reason": "fraudulent"}))

    told = gateway.read(*message)

    assert told.about == REFERENCE
    assert told.answer == Answer(
        outcome=Outcome.RETURNED, gateway_reference="pi_1", amount=usd(1_050), reason="fraudulent"
    )
    server.trouble = 500
    with pytest.raises(NotAuthentic):  # and Stripe tells it again
        gateway.read(*message)


@pytest.mark.parametrize(
    "found", [{"id": "cus_1", "object": "customer"}, {**paid(), "metadata": {}}, {**paid(), "object": "charge"}]
)
def test_an_event_about_nothing_of_ours_is_about_nothing(gateway, found):
    told = gateway.read(*signed(event("some.thing", found)))

    assert (told.about, told.answer) == (None, None)


def altered(headers, body):
    return headers, body.replace(b"1050", b"9050")


@pytest.mark.parametrize(
    "message",
    [
        signed(event("payment_intent.succeeded", paid()), secret="whsec_foreign"),
        altered(*signed(event("payment_intent.succeeded", paid()))),
        signed(event("payment_intent.succeeded", paid(), livemode=True)),
        ({}, signed(event("payment_intent.succeeded", paid()))[1]),
        ({"stripe-signature": ""}, b"{}"),
        ({"stripe-signature": "t=1,v1=é"}, b"{}"),
        ({"stripe-signature": "nonsense"}, b"\xff\xfe"),
        signed([]),
        signed({"object": "event", "livemode": False}),
        signed(event("payment_intent.succeeded", {**paid(), "amount_received": 10.5})),
    ],
    ids=["foreign key", "altered", "live", "unsigned", "empty", "accents", "nonsense", "list", "bare", "float"],
)
def test_what_does_not_prove_itself_is_not_authentic(gateway, message):
    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(*message)

    assert "pi_1" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_old_message_is_not_authentic(gateway):
    message = event("payment_intent.succeeded", paid())
    gateway.read(*signed(message, at=int(time.time()) - 290))

    with pytest.raises(NotAuthentic):
        gateway.read(*signed(message, at=int(time.time()) - 310))
