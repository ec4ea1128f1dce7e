"""What the audit trail learns from a request."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from paymentsite.core import origin


def request_origin(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Have every act of a request know the address that asked for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with origin.at(address=address_of(request)):
            return get_response(request)

    return middleware


def address_of(request: HttpRequest) -> str:
    """The address that sent ``request``, or nothing where there is none (a Unix socket).

    Behind our TLS proxy it is the last entry of X-Forwarded-For: that one the proxy wrote, the others may be
    the client's own. Without a proxy the whole header is, and is not read.
    """
    claimed = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        claimed = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or claimed
    try:
        return str(ip_address(claimed.partition("%")[0]))
    except ValueError:
        return ""
