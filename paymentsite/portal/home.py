"""The first pages: what this is, and what a person finds after signing in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from paymentsite.core import clock
from paymentsite.portal import second_factor


@login_not_required
def landing(request: HttpRequest) -> HttpResponse:
    """The front door; who is signed in already walks through."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    return render(request, "portal/landing.html")


def home(request: HttpRequest) -> HttpResponse:
    """What there is for a member, and for staff."""
    context = {"now": clock.now(), "has_second_factor": second_factor.is_set_up(request.user)}
    return render(request, "portal/home.html", context)
