"""Pages for what went wrong. They ask the database for nothing: it may be what is wrong."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def bad_request(request: HttpRequest) -> HttpResponse:
    return _page(request, 400, _("That request makes no sense"), _("Something in it is malformed."))


def forbidden(request: HttpRequest) -> HttpResponse:
    return _page(request, 403, _("Not for you"), _("You are signed in, but may not open this page."))


def missing(request: HttpRequest) -> HttpResponse:
    return _page(request, 404, _("Nothing here"), _("There is no such page, or none that you may see."))


def crashed(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        500,
        _("Our mistake"),
        _("Something broke on our side. What you did happened wholly or not at all."),
    )


@login_not_required
def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django hands it over by name
    """The page for a form that did not come from one of our pages, or that waited for too long."""
    return _page(request, 403, _("That form has expired"), _("Go back, reload the page, and send it again."))


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    return render(request, "error.html", {"status": status, "title": title, "sentence": sentence}, status=status)
