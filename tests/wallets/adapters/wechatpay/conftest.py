"""WeChat Pay, played by a small server, and its adapter."""

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.keys import THEIRS
from tests.wallets.adapters.wechatpay_server import WeChatServer


@pytest.fixture
def server():
    with WeChatServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    return made.wechatpay(server.url)


@pytest.fixture
def by_certificate(server):
    """Without WeChat Pay's public key: it verifies by certificates, which it asks for."""
    server.signer = {"key": THEIRS, "serial": THEIRS.serial}
    return made.wechatpay(server.url, public_key="", public_key_id="")
