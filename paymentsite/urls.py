"""The root of all addresses."""

from collections.abc import Callable

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from paymentsite.api import hooks, problems
from paymentsite.portal import errors

# Before the admin's addresses are read, or its own form would be served, which knows no second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("paymentsite.portal.urls")),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("paymentsite.api.v1.urls")),
    path("hooks/<slug:gateway>/", hooks.told, name="hooks"),
]


def _answers(page: Callable[[HttpRequest], HttpResponse], status: int) -> Callable[..., HttpResponse]:
    """What answers an error: a page to people, a problem document to programs."""

    def answer(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - by name
        return problems.answer(status) if request.path.startswith("/api/") else page(request)

    return answer


handler400 = _answers(errors.bad_request, 400)
handler403 = _answers(errors.forbidden, 403)
handler404 = _answers(errors.missing, 404)
handler500 = _answers(errors.crashed, 500)
