"""The whole way: a member's top-up through our services, a gateway's server, its notification, the books."""

import pytest

from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.members.factories import member as joined
from tests.wallets import gateways
from tests.wallets.adapters import alipay_server, stripe_server, wechatpay_server
from tests.wallets.adapters.keys import OURS, STRANGERS, THEIRS
from tests.wallets.factories import holds
from wallets.models import TopUp
from wallets.services import wallets

pytestmark = pytest.mark.django_db

State = TopUp.State


@pytest.fixture(params=["stripe", "alipay", "wechatpay"])
def way(request, settings):
    """A server, its gateway configured and routed, and what it says of a top-up that was paid."""
    yield from {"stripe": _stripe, "alipay": _alipay, "wechatpay": _wechatpay}[request.param](settings)


def _stripe(settings):
    with stripe_server.StripeServer() as server:
        settings.GATEWAYS = {
            "stripe": {
                "adapter": "wallets.gateways.stripe.Stripe",
                "key": Secret(stripe_server.KEY),
                "webhook_secret": Secret(stripe_server.WEBHOOK),
                "api_url": server.url,
            }
        }
        gateways.route(gateway="stripe", method="card", currency="USD")

        def paid(order, *, amount=1_050, foreign=False):
            intent = {
                "id": "pi_1",
                "object": "payment_intent",
                "status": "succeeded",
                "amount_received": amount,
                "currency": "usd",
                "metadata": {"reference": order.public_id.hex},
            }
            event = stripe_server.event("payment_intent.succeeded", intent)
            return stripe_server.signed(event, secret="whsec_foreign" if foreign else stripe_server.WEBHOOK)

        yield server, "stripe", "card", "USD", paid


def _alipay(settings):
    with alipay_server.AlipayServer() as server:
        settings.GATEWAYS = {
            "alipay": {
                "adapter": "wallets.gateways.alipay.Alipay",
                "app_id": alipay_server.APP,
                "seller_id": alipay_server.SELLER,
                "private_key": Secret(OURS.bare),
                "public_key": THEIRS.public,
                "url": f"{server.url}/gateway.do",
            }
        }
        gateways.route(gateway="alipay", method="alipay_qr", currency="CNY")

        def paid(order, *, amount=1_050, foreign=False):
            body = alipay_server.notification(
                key=STRANGERS if foreign else THEIRS,
                trade_status="TRADE_SUCCESS",
                out_trade_no=order.public_id.hex,
                trade_no=server.trades[order.public_id.hex]["trade_no"],
                total_amount=f"{amount // 100}.{amount % 100:02}",
            )
            return {}, body

        yield server, "alipay", "alipay_qr", "CNY", paid


def _wechatpay(settings):
    with wechatpay_server.WeChatServer() as server:
        settings.GATEWAYS = {
            "wechatpay": {
                "adapter": "wallets.gateways.wechatpay.WeChatPay",
                "mchid": wechatpay_server.MCHID,
                "appid": wechatpay_server.APPID,
                "private_key": Secret(OURS.pem),
                "cert_serial": OURS.serial,
                "apiv3_key": Secret(wechatpay_server.APIV3_KEY),
                "public_key": THEIRS.public,
                "public_key_id": wechatpay_server.PUBLIC_KEY_ID,
                "url": server.url,
            }
        }
        gateways.route(gateway="wechatpay", method="wechat_pay", currency="CNY")

        def paid(order, *, amount=1_050, foreign=False):
            found = wechatpay_server.paid(out_trade_no=order.public_id.hex, amount={"total": amount, "currency": "CNY"})
            more = {"serial": "PUB_KEY_ID_FOREIGN"} if foreign else {}
            return wechatpay_server.notification("TRANSACTION.SUCCESS", found, **more)

        yield server, "wechatpay", "wechat_pay", "CNY", paid


def begun(way):
    _server, _name, method, currency, _paid = way
    wallet = wallets.open(member=joined(), currency=currency, by=SYSTEM)
    return gateways.top_up(wallet, 1_050, method=method, return_url="https://pay.example.com/back")


def tell(client, name, message):
    headers, body = message
    kind = "application/x-www-form-urlencoded" if name == "alipay" else "application/json"
    return client.post(f"/hooks/{name}/", body, content_type=kind, headers=headers)


def test_what_was_paid_is_on_the_wallet_once(way, client):
    _server, name, _method, currency, paid = way
    order = begun(way)
    assert order.state == State.REQUIRES_ACTION
    assert order.action_url or order.action_code
    message = paid(order)

    answers = [tell(client, name, message) for _ in range(3)]

    order.refresh_from_db()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert order.state == State.SUCCEEDED
    assert holds(order.wallet) == Money(1_050, currency)


@pytest.mark.parametrize(
    ("more", "status", "state"),
    [({"foreign": True}, 401, State.REQUIRES_ACTION), ({"amount": 9_900}, 200, State.CONFLICT)],
)
def test_what_was_not_paid_so_is_on_no_wallet(way, client, more, status, state):
    _server, name, _method, currency, paid = way
    order = begun(way)

    answer = tell(client, name, paid(order, **more))

    order.refresh_from_db()
    assert (answer.status_code, order.state) == (status, state)
    assert holds(order.wallet) == Money(0, currency)


def test_an_answer_that_was_lost_leaves_it_unknown_and_is_made_good_by_the_notification(way, client):
    server, name, _method, currency, paid = way
    server.trouble, server.late = "cut", True
    order = begun(way)
    server.trouble = None
    assert order.state == State.UNKNOWN

    tell(client, name, paid(order))

    assert holds(order.wallet) == Money(1_050, currency)
