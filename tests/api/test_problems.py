import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers

from paymentsite.api import problems
from paymentsite.core.errors import DomainError
from paymentsite.core.money import UnknownUnit
from paymentsite.urls import handler500

MEMBERS = {"type", "title", "status", "detail", "code", "param", "retryable"}


def answered(error):
    response = problems.handler(error, {})
    assert response.content_type == "application/problem+json"
    assert response.data["status"] == response.status_code
    return response


def test_refusal_says_all_there_is_to_say():
    assert answered(UnknownUnit(unit="XYZ")).data == {
        "type": "urn:paymentsite:problem:unknown_unit",
        "title": "Unknown unit",
        "status": 400,
        "detail": str(UnknownUnit(unit="XYZ")),
        "code": "unknown_unit",
        "param": None,
        "retryable": False,
    }


def test_every_refusal_there_is_becomes_a_problem():
    for code, error in DomainError.catalogue().items():
        data = answered(error(**dict.fromkeys(error.fact_names(), "x"), param="amount")).data
        assert set(data) == MEMBERS
        assert (data["code"], data["status"], data["retryable"]) == (code, error.status, error.retryable)
        assert data["param"] == "amount"


@pytest.mark.parametrize(
    ("error", "status", "code", "retryable"),
    [
        (Http404(), 404, "not_found", False),
        (PermissionDenied(), 403, "permission_denied", False),
        (exceptions.NotAuthenticated(), 401, "not_authenticated", False),
        (exceptions.ParseError(), 400, "parse_error", False),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed", False),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type", False),
        (exceptions.Throttled(wait=7), 429, "throttled", True),
    ],
)
def test_framework_errors_have_the_same_shape(error, status, code, retryable):
    data = answered(error).data

    assert set(data) == MEMBERS
    assert (data["status"], data["code"], data["retryable"]) == (status, code, retryable)


def test_waiting_time_is_told():
    assert answered(exceptions.Throttled(wait=7)).headers["Retry-After"] == "7"


def test_challenge_is_told():
    refused = exceptions.NotAuthenticated()
    refused.auth_header = "Signature"

    assert answered(refused).headers["WWW-Authenticate"] == "Signature"


class Line(serializers.Serializer):
    amount = serializers.IntegerField(min_value=1)


class Order(serializers.Serializer):
    reference = serializers.CharField(max_length=3)
    lines = Line(many=True)


def test_invalid_request_names_each_fault_by_its_path():
    order = Order(data={"reference": "long", "lines": [{"amount": 1}, {"amount": 0}, {}]})
    with pytest.raises(exceptions.ValidationError) as refused:
        order.is_valid(raise_exception=True)
    data = answered(refused.value).data

    assert (data["code"], data["param"]) == ("invalid", "reference")
    assert [(fault["param"], fault["code"]) for fault in data["errors"]] == [
        ("reference", "max_length"),
        ("lines.1.amount", "min_value"),
        ("lines.2.amount", "required"),
    ]


def test_request_that_is_no_object_at_all_is_invalid_as_a_whole():
    order = Order(data=[1])
    with pytest.raises(exceptions.ValidationError) as refused:
        order.is_valid(raise_exception=True)

    assert answered(refused.value).data["param"] is None


def test_crash_is_left_to_the_root():
    assert problems.handler(RuntimeError(), {}) is None


def test_unknown_address_of_the_api_is_a_problem_not_a_page(client):
    answer = client.get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()) == MEMBERS
    assert answer.json()["code"] == "not_found"


def test_crash_in_the_api_tells_nothing_of_the_inside(rf):
    answer = handler500(rf.get("/api/v1/x"))

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"Traceback" not in answer.content
