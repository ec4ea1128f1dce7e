"""Where gateways tell us things: who is not one is not heard, who is is heard once."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from paymentsite.core import clock
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, route, sandboxes, top_up, wallet
from wallets.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sandbox(tmp_path: Path, db: None):
    with sandboxes(tmp_path, "sandbox"):
        route("top_up")
        yield


def tell(body: bytes, headers: dict[str, str], client: Client | None = None, name: str = "sandbox"):
    client = client or Client(enforce_csrf_checks=True)
    return client.post(f"/hooks/{name}/", body, content_type="application/json", headers=headers)


def message(purse, minor: int = 1002):
    """What the sandbox has to tell two minutes after a top-up was begun."""
    top_up(purse, minor)
    with clock.standing(clock.now() + timedelta(minutes=3)):
        [(_number, headers, body)] = gateway().deliveries(clock.now())
    return body, headers


@pytest.mark.attack
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sandbox-Signature": ""}, {"Sandbox-Signature": "0." + "0" * 64}, {"Sandbox-Signature": "x.y"}],
)
def test_what_is_not_signed_has_no_effect(headers):
    body, _headers = message(wallet())

    assert tell(body, headers).status_code == 401
    assert not Notification.objects.exists()


@pytest.mark.attack
def test_altered_message_has_no_effect():
    purse = wallet()
    body, headers = message(purse)
    told = json.loads(body) | {"amount": 999_999}

    with clock.standing(clock.now() + timedelta(minutes=3)):
        assert tell(json.dumps(told).encode(), headers).status_code == 401
    assert (holds(purse), Notification.objects.count()) == (eur(0), 0)


@pytest.mark.attack
def test_message_of_yesterday_has_no_effect():
    body, headers = message(wallet())

    with clock.standing(clock.now() + timedelta(days=1)):
        assert tell(body, headers).status_code == 401


@pytest.mark.attack
def test_too_long_is_not_read():
    assert tell(b"x" * 1_000_001, {}).status_code == 413


def test_nobody_is_called_so():
    assert tell(b"{}", {}, name="other").status_code == 404


def test_asked_for_is_not_told():
    assert Client().get("/hooks/sandbox/").status_code == 405


def test_told_twice_is_kept_once_and_booked_once():
    purse = wallet()
    body, headers = message(purse)

    with clock.standing(clock.now() + timedelta(minutes=3)):
        answers = [tell(body, headers).status_code for _ in range(3)]

    assert (answers, holds(purse)) == ([200, 200, 200], eur(1002))
    assert Notification.objects.get().state == "processed"


def test_body_is_kept_encrypted():
    body, headers = message(wallet())

    with clock.standing(clock.now() + timedelta(minutes=3)):
        tell(body, headers)

    kept = Notification.objects.get()
    assert kept.body.decrypt().reveal() == body.decode()
    assert body not in bytes(Notification.objects.values_list("body", flat=True).get().raw)


def test_about_nothing_of_ours_is_kept_as_that():
    body, _headers = message(wallet())
    stray = json.dumps(json.loads(body) | {"reference": "0" * 32, "event": "evt_1"}).encode()

    assert tell(stray, gateway().headers(stray)).status_code == 200
    assert Notification.objects.get().state == "stray"
