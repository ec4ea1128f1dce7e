"""For trying things out: time that can be moved. In production there is no such address."""

from typing import Any

from django.conf import settings
from django.http import Http404
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paymentsite.core import clock


class MoveTo(serializers.Serializer[Any]):
    to = serializers.DateTimeField()


class Clock(APIView):
    permission_classes = (IsAdminUser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.SANDBOX:
            raise Http404
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:  # noqa: ARG002 - a view
        return _now()

    def post(self, request: Request) -> Response:
        """Move the clock forward; everything due in between has happened, in order, when this answers."""
        asked = MoveTo(data=request.data)
        asked.is_valid(raise_exception=True)
        clock.advance(to=asked.validated_data["to"])
        return _now()


def _now() -> Response:
    return Response({"now": clock.now().isoformat().replace("+00:00", "Z")})
