"""Stripe: what becomes of an order, whatever is answered or not."""

import socket
from urllib.parse import urlsplit

import pytest

from paymentsite.core.money import Money
from tests.wallets.adapters import made
from tests.wallets.adapters.orders import REFERENCE, payout, usd
from tests.wallets.adapters.stripe.asked import paying
from wallets.gateways.base import Answer, OrderKind, Outcome

# Every outcome


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        ("pm_good", Answer(outcome=Outcome.SUCCEEDED, gateway_reference="pi_1", amount=usd(1_050))),
        ("pm_slow", Answer(outcome=Outcome.PENDING, gateway_reference="pi_1")),
        ("pm_declined", Answer(outcome=Outcome.FAILED, reason="insufficient_funds")),
        (
            "pm_secure",
            Answer(
                outcome=Outcome.REQUIRES_ACTION,
                gateway_reference="pi_1",
                action_url="https://hooks.stripe.com/3ds/1",
            ),
        ),
    ],
)
def test_begin_answers_as_the_payment_stands(gateway, token, answer):
    assert gateway.begin(paying(token)) == answer


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (500, Outcome.UNKNOWN),
        (502, Outcome.UNKNOWN),
        (409, Outcome.UNKNOWN),
        (429, Outcome.UNKNOWN),
        ("hang", Outcome.UNKNOWN),
        ("cut", Outcome.UNKNOWN),
        ("garbage", Outcome.UNKNOWN),
        (400, Outcome.FAILED),
        (403, Outcome.FAILED),
    ],
)
@pytest.mark.parametrize("act", ["begin", "pay_out"])
def test_only_what_surely_did_nothing_failed(server, gateway, trouble, outcome, act):
    server.trouble = trouble
    order = paying("pm_good") if act == "begin" else payout(usd(500), method="stripe_account", number="acct_1")

    assert getattr(gateway, act)(order).outcome == outcome


@pytest.mark.parametrize("trouble", [500, 400, 401, "hang", "cut", "garbage"])
@pytest.mark.parametrize("kind", list(OrderKind))
def test_a_question_without_an_answer_fails_no_order(server, gateway, trouble, kind):
    server.trouble = trouble

    assert gateway.query(REFERENCE, kind).outcome == Outcome.UNKNOWN


def test_where_nobody_listens_nothing_was_sent(nobody):
    assert made.stripe(nobody).begin(paying("pm_good")) == Answer(outcome=Outcome.FAILED, reason="not_reached")
    assert made.stripe(nobody).query(REFERENCE, OrderKind.TOP_UP).outcome == Outcome.UNKNOWN


def test_a_refusal_while_another_is_handled_is_not_taken_for_it(server, gateway, nobody):
    server.trouble = "hang"
    try:
        socket.create_connection(urlsplit(nobody).netloc.split(":"))
    except ConnectionRefusedError:
        answer = gateway.begin(paying("pm_good"))

    assert answer.outcome == Outcome.UNKNOWN


def test_a_wrong_key_is_refused(server):
    answer = made.stripe(server.url, key="sk_test_other").begin(paying("pm_good"))

    assert (answer.outcome, server.intents) == (Outcome.FAILED, {})


# Once only


@pytest.mark.parametrize("token", ["pm_good", "pm_declined", "pm_secure"])
def test_a_repetition_is_answered_like_the_first(server, gateway, token):
    first = gateway.begin(paying(token))

    assert gateway.begin(paying(token)) == first
    assert len(server.intents) == 1


def test_a_payment_whose_answer_was_lost_is_found_and_not_made_twice(server, gateway):
    server.trouble, server.late = "cut", True
    assert gateway.begin(paying("pm_good")).outcome == Outcome.UNKNOWN
    server.trouble = None

    found = gateway.query(REFERENCE, OrderKind.TOP_UP)

    assert found == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="pi_1", amount=usd(1_050))
    assert gateway.begin(paying("pm_good")) == found
    assert server.moved == [1_050]


def test_another_amount_under_the_reference_is_unknown_since_the_first_may_stand(server, gateway):
    gateway.begin(paying("pm_good"))

    answer = gateway.begin(paying("pm_good", usd(9_999)))

    assert answer == Answer(outcome=Outcome.UNKNOWN, reason="reference_conflict")
    assert server.moved == [1_050]


# Amounts


@pytest.mark.parametrize(
    ("amount", "parts"),
    [(usd(1_050), "1050"), (Money(500, "JPY"), "500"), (Money(5_120, "KWD"), "5120")],
)
def test_amounts_go_in_stripes_own_parts(server, gateway, amount, parts):
    answer = gateway.begin(paying("pm_good", amount))

    assert f"amount={parts}&" in server.requests[0][3].decode()
    assert answer.amount == amount


def test_an_amount_that_stripe_cannot_move_is_not_asked(server, gateway):
    answer = gateway.begin(paying("pm_good", Money(5_124, "KWD")))

    assert answer == Answer(outcome=Outcome.FAILED, reason="amount_not_representable")
    assert server.requests == []


@pytest.mark.parametrize(("parts", "currency"), [(99_999, "usd"), (1_050, "eur")])
def test_another_amount_or_currency_is_told_as_it_is(server, gateway, parts, currency):
    gateway.begin(paying("pm_good"))
    server.intents["pi_1"] |= {"amount_received": parts, "currency": currency}

    assert gateway.query(REFERENCE, OrderKind.TOP_UP).amount == Money(parts, currency.upper())


@pytest.mark.parametrize("wrong", [{"currency": "xxx"}, {"amount_received": "1050"}, {"amount_received": 10.5}])
def test_an_amount_that_cannot_be_understood_is_unknown(server, gateway, wrong):
    gateway.begin(paying("pm_good"))
    server.intents["pi_1"] |= wrong

    assert gateway.query(REFERENCE, OrderKind.TOP_UP).outcome == Outcome.UNKNOWN
