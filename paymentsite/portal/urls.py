from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.i18n import set_language

from paymentsite.portal import health, home

app_name = "portal"

urlpatterns = [
    path("", home.landing, name="landing"),
    path("home/", home.home, name="home"),
    path("language/", login_not_required(set_language), name="language"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]
