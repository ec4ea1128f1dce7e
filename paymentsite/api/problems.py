"""Refusals as RFC 9457 problem documents: the only shape in which the API says no.

``code`` is for programs and stays for ever, ``title`` says what kind of thing went wrong, ``detail`` what
exactly, ``param`` which part of the request, ``retryable`` whether the same request may succeed later.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from paymentsite.core.errors import DomainError

CONTENT_TYPE = "application/problem+json"
_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def handler(exc: Exception, context: dict[str, Any]) -> Response | None:  # noqa: ARG001 - DRF's signature
    """The problem document for ``exc``, or None for a crash, which the root logs and answers."""
    if isinstance(exc, DomainError):
        set_rollback()
        return _response(_refusal(exc))
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if not isinstance(exc, exceptions.APIException):
        return None

    set_rollback()
    response = _response(_invalid(exc) if isinstance(exc, exceptions.ValidationError) else _framework(exc))
    if challenge := getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        response["Retry-After"] = str(int(wait))
    return response


def answer(status: int) -> JsonResponse:
    """The problem document for an error met outside of any view of the API."""
    phrase = HTTPStatus(status).phrase
    body = problem(status=status, code=phrase.lower().replace(" ", "_"), title=phrase, detail=_SENTENCES[status])
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


_SENTENCES = {
    400: "The request is malformed.",
    403: "You may not do this.",
    404: "There is no such thing, or none that you may know of.",
    500: "Something broke on our side. Ask with the same reference what became of it.",
}


def problem(
    *, status: int, code: str, title: str, detail: str, param: str | None = None, retryable: bool = False
) -> dict[str, Any]:
    """One problem document, with every member there is."""
    return {
        "type": f"urn:paymentsite:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "param": param,
        "retryable": retryable,
    }


def _response(body: dict[str, Any]) -> Response:
    return Response(body, status=body["status"], content_type=CONTENT_TYPE)


def _refusal(exc: DomainError) -> dict[str, Any]:
    return problem(
        status=exc.status,
        code=exc.code,
        title=exc.code.replace("_", " ").capitalize(),
        detail=str(exc),
        param=exc.facts.get("param"),
        retryable=exc.retryable,
    )


def _framework(exc: exceptions.APIException) -> dict[str, Any]:
    status = HTTPStatus(exc.status_code)
    code = exc.get_codes()
    return problem(
        status=status,
        code=code if isinstance(code, str) else exc.default_code,
        title=status.phrase,
        detail=str(exc.detail) if isinstance(exc.detail, str) else str(exc.default_detail),
        retryable=status in _LATER,
    )


def _invalid(exc: exceptions.ValidationError) -> dict[str, Any]:
    faults = list(_faults(exc.get_full_details(), path=""))
    first = faults[0]
    return {
        **problem(
            status=exc.status_code,
            code="invalid",
            title="The request is not valid",
            detail=first["detail"],
            param=first["param"],
        ),
        "errors": faults,
    }


def _faults(details: Any, *, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(details, Mapping):
        if set(details) == {"message", "code"} and isinstance(details["message"], str):
            yield {"param": path or None, "code": str(details["code"]), "detail": str(details["message"])}
            return
        inner = [(key, value) for key, value in details.items()]
    else:
        # A list of faults of one field names the field; a list of items names the item.
        same = all(set(one) == {"message", "code"} for one in details)
        inner = [("" if same else str(place), value) for place, value in enumerate(details)]
    for key, value in inner:
        name = "" if key in {"", "non_field_errors"} else str(key)
        yield from _faults(value, path=".".join(filter(None, (path, name))))
