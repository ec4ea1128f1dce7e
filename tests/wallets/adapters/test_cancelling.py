"""What the member has not acted on, taken back at each gateway: failed only where it surely cannot be paid any more."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.alipay_server import AlipayServer
from tests.wallets.adapters.keys import STRANGERS
from tests.wallets.adapters.orders import REFERENCE, cny, top_up, usd
from tests.wallets.adapters.stripe_server import StripeServer
from tests.wallets.adapters.wechatpay_server import WeChatServer
from wallets.gateways.base import Answer, Capability, Gateway, Order, OrderKind, Outcome

SECURE = top_up(usd(1_050), method="card", details={"payment_method": "pm_secure"})
PAGE = top_up(usd(1_050), method="card")
CODE = top_up(cny(1_050), method="alipay_qr")
NATIVE = top_up(cny(1_050), method="wechat_pay")


@dataclass
class Way:
    """A gateway, its server, and an order whose member was asked to act."""

    server: Any
    gateway: Gateway
    order: Order
    closed: Answer

    def pay(self) -> None:
        """The member acts after all, just now."""
        match self.server:
            case StripeServer():
                for intent in self.server.intents.values():
                    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
                for page in self.server.sessions.values():
                    page |= {"status": "complete", "payment_status": "paid"}
            case AlipayServer():
                self.server.trades[REFERENCE]["trade_status"] = "TRADE_SUCCESS"
            case WeChatServer():
                self.server.pay(REFERENCE)

    def standing(self) -> Answer:
        return self.gateway.query(REFERENCE, OrderKind.TOP_UP, gateway_reference=self.order.gateway_reference)


WAYS = {
    "stripe, 3-D Secure": (StripeServer, made.stripe, SECURE, "canceled", "pi_1"),
    "stripe's page": (StripeServer, made.stripe, PAGE, "expired", "cs_1"),
    "alipay": (AlipayServer, made.alipay_by_keys, CODE, "closed_unpaid", "2026112622000001"),
    "wechatpay": (WeChatServer, made.wechatpay, NATIVE, "closed", ""),
}


@pytest.fixture(params=WAYS)
def way(request):
    serves, adapter, order, reason, name = WAYS[request.param]
    with serves() as server:
        gateway = adapter(server.url)
        begun = gateway.begin(order)
        assert begun.outcome == Outcome.REQUIRES_ACTION
        order = dataclasses.replace(order, gateway_reference=begun.gateway_reference)
        yield Way(server, gateway, order, Answer(outcome=Outcome.FAILED, reason=reason, gateway_reference=name))


def test_what_nobody_acted_on_is_taken_back_and_can_be_paid_no_more(way):
    assert Capability.CANCEL in way.gateway.capabilities

    assert way.gateway.cancel(way.order) == way.closed

    assert way.gateway.cancel(way.order).outcome == Outcome.FAILED
    assert way.standing().outcome == Outcome.FAILED


def test_what_was_paid_meanwhile_is_said_to_be_paid(way):
    way.pay()

    answer = way.gateway.cancel(way.order)

    assert (answer.outcome, answer.amount) == (Outcome.SUCCEEDED, way.order.amount)


@pytest.mark.parametrize("trouble", [500, 502, 400, 401, 409, 429, "hang", "cut", "garbage"])
def test_trouble_on_the_way_leaves_it_unknown(way, trouble):
    way.server.trouble = trouble

    assert way.gateway.cancel(way.order).outcome == Outcome.UNKNOWN


def test_an_answer_that_was_lost_is_found_when_it_is_asked_again(way):
    way.server.trouble, way.server.late = "cut", True
    assert way.gateway.cancel(way.order).outcome == Outcome.UNKNOWN
    way.server.trouble = None

    assert way.gateway.cancel(way.order).outcome == Outcome.FAILED


@pytest.mark.parametrize(
    ("adapter", "order"), [(made.stripe, PAGE), (made.alipay_by_keys, CODE), (made.wechatpay, NATIVE)]
)
def test_where_nobody_listens_nothing_is_known(nobody, adapter, order):
    assert adapter(nobody).cancel(order).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("serves", "adapter", "order"),
    [
        (StripeServer, made.stripe, PAGE),
        (AlipayServer, made.alipay_by_keys, CODE),
        (WeChatServer, made.wechatpay, NATIVE),
    ],
)
def test_what_the_gateway_has_never_heard_of_is_absent(serves, adapter, order):
    with serves() as server:
        assert adapter(server.url).cancel(order) == Answer(outcome=Outcome.ABSENT)


@pytest.mark.parametrize(
    ("serves", "adapter", "order"),
    [(AlipayServer, made.alipay_by_keys, CODE), (WeChatServer, made.wechatpay, NATIVE)],
)
def test_a_stranger_who_says_that_it_is_closed_is_not_believed(serves, adapter, order):
    with serves() as server:
        gateway = adapter(server.url)
        gateway.begin(order)
        server.signer = STRANGERS if serves is AlipayServer else {"key": STRANGERS}

        assert gateway.cancel(order).outcome == Outcome.UNKNOWN


def test_stripes_page_ends_though_only_its_intent_is_known():
    with StripeServer() as server:
        gateway = made.stripe(server.url)
        gateway.begin(PAGE)
        metadata = {"reference": REFERENCE, "hosted": "1"}
        server.intents["pi_7"] = {
            "id": "pi_7",
            "object": "payment_intent",
            "status": "requires_payment_method",
            "metadata": metadata,
        }
        server.sessions["cs_1"]["payment_intent"] = "pi_7"

        answer = gateway.cancel(dataclasses.replace(PAGE, gateway_reference="pi_7"))

    assert answer == Answer(outcome=Outcome.FAILED, reason="expired", gateway_reference="pi_7")


@pytest.mark.parametrize("name", ["cs_1", "pi_1"])
def test_what_belongs_to_another_order_is_not_taken_back(name):
    with StripeServer() as server:
        gateway = made.stripe(server.url)
        for order, letter in ((SECURE, "b"), (PAGE, "c")):
            gateway.begin(dataclasses.replace(order, reference=letter * 32))

        answer = gateway.cancel(dataclasses.replace(PAGE, gateway_reference=name))

        assert answer.outcome == Outcome.UNKNOWN
        assert [one["status"] for one in (*server.intents.values(), *server.sessions.values())] == [
            "requires_action",
            "open",
        ]


def test_what_is_being_taken_is_not_cancelled():
    with StripeServer() as server:
        gateway = made.stripe(server.url)
        gateway.begin(dataclasses.replace(SECURE, details={"payment_method": "pm_slow"}))

        answer = gateway.cancel(dataclasses.replace(SECURE, gateway_reference="pi_1"))

    assert answer == Answer(outcome=Outcome.PENDING, gateway_reference="pi_1")
