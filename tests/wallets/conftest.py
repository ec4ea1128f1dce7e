from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wallets import gateways


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[None]:
    """One sandbox gateway, to be configured by nobody else, without a route to it."""
    with gateways.sandboxes(tmp_path, "sandbox"):
        yield


@pytest.fixture
def routed(sandbox: None, db: None) -> None:
    """One sandbox gateway, and routes to it for top-ups by card and withdrawals in euros."""
    gateways.route("top_up")
    gateways.route("payout")
