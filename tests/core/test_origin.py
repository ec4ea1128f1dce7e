"""The address that the audit trail believes."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from paymentsite.core import origin
from paymentsite.core.middleware import request_origin

PROXY = ("HTTP_X_FORWARDED_PROTO", "https")


def seen(**headers: str) -> str:
    request = RequestFactory().get("/", **headers)
    return request_origin(lambda _: HttpResponse(origin.current().address))(request).content.decode()


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, "192.0.2.1"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.9"}, "192.0.2.1"),
        ({"REMOTE_ADDR": "2001:DB8:0::1"}, "2001:db8::1"),
        ({"REMOTE_ADDR": "fe80::1%eth0"}, "fe80::1"),
        ({"REMOTE_ADDR": ""}, ""),
        ({"REMOTE_ADDR": "'; DROP TABLE"}, ""),
    ],
)
def test_address_is_the_connection_s(settings, headers: dict[str, str], address: str) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None

    assert seen(**headers) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.66, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, <script>", ""),
        ("", "10.0.0.1"),
    ],
)
def test_address_behind_a_proxy_is_what_the_proxy_saw(settings, forwarded: str, address: str) -> None:
    settings.SECURE_PROXY_SSL_HEADER = PROXY

    assert seen(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded) == address


def test_address_is_forgotten_after_the_request() -> None:
    seen(REMOTE_ADDR="192.0.2.1")

    assert origin.current() == origin.Origin("", "")
