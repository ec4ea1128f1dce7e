"""Alipay, played by a small server, and its adapter."""

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.alipay_server import AlipayServer


@pytest.fixture
def server():
    with AlipayServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    """With certificates, as payouts need them."""
    server.certificates = True
    return made.alipay(server.url)
