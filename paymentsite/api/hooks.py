"""Where gateways tell us things: public, proven by the gateway's signature alone, and answered once it is stored."""

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from wallets.gateways import registry
from wallets.gateways.base import NotAuthentic
from wallets.services import notifications

log = structlog.get_logger(__name__)

BODY_MAX = 1_000_000


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def told(request: HttpRequest, gateway: str) -> HttpResponse:
    """200 and what the gateway wants to hear once its notification is kept; 401 for what it did not send.

    What is made of it is not the gateway's business: should that fail, the job does it later.
    """
    if gateway not in registry.names():
        return HttpResponse(status=404)
    body = _body(request)
    if body is None:
        return HttpResponse(status=413)
    try:
        found = notifications.receive(gateway=gateway, headers=request.headers, body=body)
    except NotAuthentic:
        log.warning("notification not authentic", gateway=gateway)
        return HttpResponse(status=401)

    try:
        notifications.process(notification=found)
    except Exception:  # the edge: it is stored, and will be tried again
        log.exception("notification failed", notification=str(found.public_id))
    receipt = registry.get(gateway).receipt
    return HttpResponse(receipt.body, content_type=receipt.content_type)


def _body(request: HttpRequest) -> bytes | None:
    """The body, not more of it than we take, whatever its length was said to be; None when it is longer."""
    said = request.headers.get("Content-Length", "")
    if said.isdecimal() and int(said) > BODY_MAX:
        return None
    body = request.read(BODY_MAX + 1)
    return body if len(body) <= BODY_MAX else None
