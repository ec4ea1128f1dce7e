"""What every page passes through."""

from collections.abc import Callable

import structlog
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from paymentsite.portal import second_factor

type_of_view = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: type_of_view) -> type_of_view:
    """Give each answer the id under which the log knows its request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.id = str(structlog.contextvars.get_contextvars()["request_id"])  # type: ignore[attr-defined]
        response = get_response(request)
        response["Request-Id"] = request.id  # type: ignore[attr-defined]
        return response

    return middleware


def admin_content_policy(get_response: type_of_view) -> type_of_view:
    """Relax the content policy for the admin alone: its scripts are built on expressions in attributes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = {  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's way in
                "script-src": [SELF, UNSAFE_EVAL],
                "style-src": [SELF, UNSAFE_INLINE],
            }
        return response

    return middleware


def staff_second_factor(get_response: type_of_view) -> type_of_view:
    """Let staff into the admin only with a second factor, where the settings ask for one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not (settings.STAFF_SECOND_FACTOR_REQUIRED and request.path.startswith("/admin/")):
            return get_response(request)
        if not request.user.is_authenticated or second_factor.is_set_up(request.user):
            return get_response(request)
        messages.warning(request, _("Staff need a second factor. Set one up, then come back."))
        return redirect("mfa_index")

    return middleware
