"""What every page may say about the site it stands in."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Whether this is a sandbox, and the id to quote when something went wrong."""
    return {"sandbox": settings.SANDBOX, "request_id": getattr(request, "id", "")}
