from django.urls import path

from paymentsite.api.v1 import sandbox

app_name = "api"

urlpatterns = [
    path("sandbox/clock", sandbox.Clock.as_view(), name="sandbox-clock"),
]
