"""Stripe: cards, and Stripe's own page."""

import logging

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.orders import PAN, REFERENCE, card, top_up, usd
from tests.wallets.adapters.stripe_server import KEY, WEBHOOK, event, signed
from wallets.gateways.base import Answer, OrderKind, Outcome


def test_a_saved_card_goes_to_stripe_where_that_is_allowed_and_nowhere_else(server, gateway, caplog):
    caplog.set_level(logging.DEBUG)
    order = top_up(usd(100), method="card", card=card())

    answer = gateway.begin(order)

    assert answer.outcome == Outcome.SUCCEEDED
    assert server.intents["pi_1"]["card"]["card"] == {"number": PAN, "exp_month": "4", "exp_year": "2030"}
    seen = f"{caplog.text} {answer!r} {order!r} {gateway!r}"
    assert not [secret for secret in (PAN, KEY, WEBHOOK) if secret in seen]


def test_without_that_right_the_member_pays_on_stripes_page(server):
    gateway = made.stripe(server.url, raw_cards=False)

    answer = gateway.begin(top_up(usd(100), method="card", card=card()))

    page = "https://checkout.stripe.com/c/pay/cs_1"
    assert answer == Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference="cs_1", action_url=page)
    assert PAN.encode() not in server.requests[0][3]
    assert gateway.query(REFERENCE, OrderKind.TOP_UP, gateway_reference="cs_1") == answer


@pytest.mark.parametrize(
    ("status", "paid", "answer"),
    [
        ("complete", "paid", Answer(outcome=Outcome.SUCCEEDED, gateway_reference="cs_1", amount=usd(100))),
        ("complete", "unpaid", Answer(outcome=Outcome.PENDING, gateway_reference="cs_1")),
        ("expired", "unpaid", Answer(outcome=Outcome.FAILED, gateway_reference="cs_1", reason="expired")),
    ],
)
def test_the_page_ends_as_it_ends(server, gateway, status, paid, answer):
    gateway.begin(top_up(usd(100), method="card"))
    server.sessions["cs_1"] |= {"status": status, "payment_status": paid}

    assert gateway.query(REFERENCE, OrderKind.TOP_UP, gateway_reference="cs_1") == answer


def test_a_declined_card_is_not_the_end_on_the_page(server, gateway):
    gateway.begin(top_up(usd(100), method="card"))
    intent = {
        "id": "pi_7",
        "object": "payment_intent",
        "status": "requires_payment_method",
        "metadata": server.sessions["cs_1"]["intent_metadata"],
    }

    told = gateway.read(*signed(event("payment_intent.payment_failed", intent)))

    assert (told.about, told.answer.outcome) == (REFERENCE, Outcome.REQUIRES_ACTION)
