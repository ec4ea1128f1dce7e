"""Stripe's adapter, through Stripe's own package, against a small server that speaks Stripe's protocol."""

import dataclasses
import logging
import socket
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.wallets.adapters import made
from tests.wallets.adapters.orders import PAN, REFERENCE, card, payout, refund, top_up, usd
from tests.wallets.adapters.stripe_server import KEY, WEBHOOK, StripeServer, event, signed
from wallets.gateways.base import Answer, Capability, OrderKind, Outcome
from wallets.gateways.stripe import Stripe

TIMEOUTS = (0.5, 0.3)


@pytest.fixture
def server():
    with StripeServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    return made.stripe(server.url)


def paying(token, amount=None, **more):
    return top_up(amount or usd(1_050), method="card", details={"payment_method": token}, **more)


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


# Cards, and Stripe's own page


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


# Refunds and payouts


@pytest.mark.parametrize("known_as", ["pi_1", ""])
def test_a_refund_gives_back_once(server, gateway, known_as):
    gateway.begin(paying("pm_good"))
    order = refund(usd(400), method="card", original=REFERENCE, gateway_reference=known_as)

    first = gateway.refund(order)

    assert first == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="re_1", amount=usd(400))
    assert gateway.refund(order) == first
    assert gateway.query(order.reference, OrderKind.REFUND, gateway_reference=known_as) == first
    assert gateway.query(order.reference, OrderKind.REFUND, gateway_reference="re_1") == first
    assert server.moved == [1_050, -400]


@pytest.mark.parametrize(
    ("amount", "original", "reason"),
    [
        (Money(400, "JPY"), REFERENCE, "currency_differs"),
        (usd(400), "nothing", "original_absent"),
        (usd(9_999), REFERENCE, "charge_already_refunded"),
    ],
)
def test_a_refund_of_something_else_is_refused(server, gateway, amount, original, reason):
    gateway.begin(paying("pm_good"))

    answer = gateway.refund(refund(amount, method="card", original=original))

    assert answer == Answer(outcome=Outcome.FAILED, reason=reason)
    assert server.moved == [1_050]


def test_a_refund_under_the_name_of_anothers_payment_is_not_made(server, gateway):
    gateway.begin(paying("pm_good"))
    gateway.begin(paying("pm_good", reference="b" * 32))

    answer = gateway.refund(refund(usd(400), method="card", original=REFERENCE, gateway_reference="pi_2"))

    assert (answer.outcome, server.moved) == (Outcome.UNKNOWN, [1_050, 1_050])


def test_a_payout_moves_to_the_connected_account_once(server, gateway):
    order = payout(usd(500), method="stripe_account", number="acct_1")
    assert gateway.query(REFERENCE, OrderKind.PAYOUT) == Answer(outcome=Outcome.ABSENT)

    first = gateway.pay_out(order)

    assert first == Answer(outcome=Outcome.SUCCEEDED, gateway_reference="tr_1", amount=usd(500))
    assert gateway.pay_out(order) == first
    assert gateway.query(REFERENCE, OrderKind.PAYOUT) == first
    assert server.moved == [-500]


@pytest.mark.parametrize(
    ("number", "reason"), [("acct_gone", "account_invalid"), ("DE89370400440532013000", "no_connected_account")]
)
def test_a_payout_to_nobody_is_refused(gateway, number, reason):
    answer = gateway.pay_out(payout(usd(500), method="stripe_account", number=number))

    assert answer == Answer(outcome=Outcome.FAILED, reason=reason)


@pytest.mark.parametrize(
    ("kind", "known_as"),
    [
        (OrderKind.TOP_UP, "pi_1"),
        (OrderKind.TOP_UP, "cs_1"),
        (OrderKind.REFUND, "re_1"),
        (OrderKind.PAYOUT, ""),
    ],
)
def test_what_belongs_to_another_order_says_nothing_of_ours(server, gateway, kind, known_as):
    gateway.begin(paying("pm_good"))
    gateway.begin(top_up(usd(100), method="card", reference="c" * 32))
    gateway.refund(refund(usd(400), method="card", original=REFERENCE))
    gateway.pay_out(payout(usd(500), method="stripe_account", number="acct_1", reference="e" * 32))
    server.transfers["tr_1"]["transfer_group"] = "d" * 32

    assert gateway.query("d" * 32, kind, gateway_reference=known_as).outcome == Outcome.UNKNOWN


def test_a_page_to_come_back_from_nowhere_is_not_made(server, gateway):
    order = dataclasses.replace(top_up(usd(100), method="card"), return_url="")

    assert gateway.begin(order) == Answer(outcome=Outcome.FAILED, reason="return_url_missing")
    assert server.requests == []


def test_a_reversed_payout_came_back(server, gateway):
    gateway.pay_out(payout(usd(500), method="stripe_account", number="acct_1"))
    server.transfers["tr_1"] |= {"reversed": True, "amount_reversed": 500}

    assert gateway.query(REFERENCE, OrderKind.PAYOUT).outcome == Outcome.RETURNED


def test_without_connect_there_are_no_payouts(server):
    gateway = made.stripe(server.url, connect=False)

    assert Capability.PAYOUT not in gateway.capabilities
    assert not gateway.supports(method="stripe_account", currency="USD")
    answer = gateway.pay_out(payout(usd(5), method="stripe_account", number="acct_1"))
    assert answer == Answer(outcome=Outcome.FAILED, reason="payout_not_supported")


def test_what_stripe_has_never_seen_is_absent(gateway):
    for kind in OrderKind:
        assert gateway.query(REFERENCE, kind) == Answer(outcome=Outcome.ABSENT)


# Configuration


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"key": Secret("pk_test_public")}, "STRIPE_SECRET_KEY"),
        ({"webhook_secret": Secret("sk_test_1")}, "STRIPE_WEBHOOK_SECRET"),
        ({"currencies": ("USD", "PTS")}, "STRIPE_CURRENCIES names what Stripe does not know: PTS"),
    ],
)
def test_wrong_keys_are_refused_without_showing_them(wrong, named):
    options = {"name": "stripe", "key": Secret(KEY), "webhook_secret": Secret(WEBHOOK), **wrong}

    with pytest.raises(ImproperlyConfigured, match=named) as refusal:
        Stripe(**options)

    assert "pk_test_public" not in str(refusal.value)


def test_a_live_key_is_known_from_a_tests():
    assert made.stripe("http://127.0.0.1:1", key="rk_live_1").live
    assert not made.stripe("http://127.0.0.1:1").live


def test_what_it_supports(gateway):
    assert gateway.supports(method="card", currency="USD")
    assert not gateway.supports(method="card", currency="CNY")
    assert not gateway.supports(method="alipay", currency="USD")


def test_orders_show_no_secret():
    order = dataclasses.replace(top_up(usd(1), method="card"), card=card())

    assert PAN not in repr(order)
