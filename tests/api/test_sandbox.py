import pytest
from rest_framework.test import APIClient

from members.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def staff(api):
    api.force_login(User.objects.create_user("staff@example.com", is_staff=True))
    return api


def test_there_is_no_such_address_outside_a_sandbox(staff, settings):
    settings.SANDBOX = False

    assert staff.get("/api/v1/sandbox/clock").status_code == 404
    assert staff.post("/api/v1/sandbox/clock", {"to": "2100-01-01T00:00:00Z"}, format="json").status_code == 404


def test_clock_is_for_staff(api):
    assert api.get("/api/v1/sandbox/clock").status_code == 403

    api.force_login(User.objects.create_user("member@example.com"))
    assert api.post("/api/v1/sandbox/clock", {"to": "2100-01-01T00:00:00Z"}, format="json").status_code == 403


@pytest.mark.attack
def test_clock_is_not_moved_from_another_site():
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(User.objects.create_user("staff@example.com", is_staff=True))

    assert api.post("/api/v1/sandbox/clock", {"to": "2100-01-01T00:00:00Z"}, format="json").status_code == 403


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "to", "required"),
        ({"to": "tomorrow"}, "to", "invalid"),
        ({"to": 1}, "to", "invalid"),
        ([], None, "invalid"),
    ],
)
def test_malformed_move_is_refused(staff, body, param, code):
    answer = staff.post("/api/v1/sandbox/clock", body, format="json")

    assert answer.status_code == 400
    assert [(fault["param"], fault["code"]) for fault in answer.json()["errors"]] == [(param, code)]


def test_clock_is_not_moved_back(staff):
    answer = staff.post("/api/v1/sandbox/clock", {"to": "2001-01-01T00:00:00Z"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "clock_backwards")
