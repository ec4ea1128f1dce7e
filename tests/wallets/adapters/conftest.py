"""No adapter under test reaches anything but this machine."""

import ipaddress
import socket

import pytest


@pytest.fixture(autouse=True)
def loopback(monkeypatch):
    """Refuse to leave the machine, and say at the end that nobody tried."""
    tried = []
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
            tried.append(address)
            raise AssertionError(f"{address} is not this machine")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield tried
    assert tried == []


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
