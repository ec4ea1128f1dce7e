"""Stripe: money back, and money out."""

import dataclasses

import pytest

from paymentsite.core.money import Money
from tests.wallets.adapters import made
from tests.wallets.adapters.orders import REFERENCE, payout, refund, top_up, usd
from tests.wallets.adapters.stripe.asked import paying
from wallets.gateways.base import Answer, Capability, OrderKind, Outcome


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
