"""Stripe, played by a small server, and its adapter."""

import pytest

from tests.wallets.adapters import made
from tests.wallets.adapters.stripe_server import StripeServer


@pytest.fixture
def server():
    with StripeServer() as running:
        yield running


@pytest.fixture
def gateway(server):
    return made.stripe(server.url)
