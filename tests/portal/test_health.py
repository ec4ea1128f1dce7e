import pytest
from django.db import connections

from tests.servers import valkey


def test_alive_answers_without_a_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_when_all_parts_answer(client, settings, tmp_path):
    settings.BROKER_FOLDER = tmp_path
    settings.CELERY_BROKER_URL = "filesystem://localhost/"
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": True, "migrations": True, "broker": True})


@pytest.mark.django_db
def test_not_ready_without_the_broker(client, settings, tmp_path):
    settings.BROKER_FOLDER = tmp_path / "gone"
    settings.CELERY_BROKER_URL = "filesystem://localhost/"
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["broker"]) == (503, False)


@pytest.mark.django_db
def test_ready_as_long_as_redis_answers(client, settings):
    with valkey() as settings.CELERY_BROKER_URL:
        assert client.get("/readyz").json()["broker"] is True
    assert client.get("/readyz").json()["broker"] is False


@pytest.mark.django_db
def test_not_ready_without_the_database(client, monkeypatch):
    gone = connections.create_connection("default")
    gone.settings_dict = {**gone.settings_dict, "NAME": "/nowhere/at/all", "HOST": "127.0.0.1", "PORT": "1"}
    monkeypatch.setattr("paymentsite.portal.health.connection", gone)
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["migrations"]) == (False, False)


def test_health_is_asked_without_tls(client, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/").status_code == 301
    assert client.get("/healthz").status_code == 200
