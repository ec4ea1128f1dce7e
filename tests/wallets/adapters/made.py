"""The adapters as they are configured, at servers of ours."""

import socket

from paymentsite.core.vault import Secret
from tests.wallets.adapters import alipay_server, stripe_server, wechatpay_server
from tests.wallets.adapters.keys import OURS, ROOT, THEIRS
from wallets.gateways.alipay import Alipay
from wallets.gateways.stripe import Stripe
from wallets.gateways.wechatpay import WeChatPay

TIMEOUTS = (0.5, 0.3)


def stripe(url, key=stripe_server.KEY, **options):
    more = {"connect": True, "raw_cards": True, **options}
    return Stripe(
        name="stripe",
        key=Secret(key),
        webhook_secret=Secret(stripe_server.WEBHOOK),
        currencies=("USD", "JPY", "KWD"),
        api_url=url,
        timeouts=TIMEOUTS,
        **more,
    )


def alipay(url, **options):
    """With certificates, as payouts need them."""
    return Alipay(
        name="alipay",
        app_id=alipay_server.APP,
        seller_id=alipay_server.SELLER,
        private_key=Secret(OURS.bare),
        certificates=(OURS.certificate, THEIRS.certificate, ROOT.certificate),
        url=f"{url}/gateway.do",
        seconds=0.3,
        **options,
    )


def alipay_by_keys(url, ours=OURS):
    return Alipay(
        name="alipay",
        app_id=alipay_server.APP,
        seller_id=alipay_server.SELLER,
        private_key=Secret(ours.bare),
        public_key=THEIRS.public,
        url=f"{url}/gateway.do",
        seconds=0.3,
    )


def wechatpay(url, *, ours=OURS, **options):
    more = {
        "public_key": THEIRS.public,
        "public_key_id": wechatpay_server.PUBLIC_KEY_ID,
        "transfer_scene": wechatpay_server.SCENE,
        **options,
    }
    return WeChatPay(
        name="wechatpay",
        mchid=wechatpay_server.MCHID,
        appid=wechatpay_server.APPID,
        private_key=Secret(ours.pem),
        cert_serial=OURS.serial,
        apiv3_key=Secret(wechatpay_server.APIV3_KEY),
        transfer_report={"岗位类型": "会员"},
        url=url,
        timeouts=TIMEOUTS,
        **more,
    )


def socket_to_elsewhere():
    """A connection that no test may make."""
    with socket.socket() as going:
        going.connect(("192.0.2.1", 9))
