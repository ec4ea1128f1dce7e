"""Text messages: kept where there is nobody to send them to, posted where there is, and never sent by half a set-up."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from paymentsite.core import text_messages
from paymentsite.core.text_messages import NotSent, checks, webhook
from paymentsite.core.text_messages.kept import Kept
from paymentsite.core.text_messages.webhook import Webhook
from paymentsite.core.vault import Secret
from tests.wallets.adapters.servers import Service

TO, TEXT = Secret("+8613800000001"), Secret("验证码 Your code is 12345678")
WEBHOOK = "paymentsite.core.text_messages.webhook.Webhook"


class Provider(Service):
    """Takes messages, and answers what it is told to."""

    says, headers = 202, {}

    def answer(self, _method, _path, _headers, _body):
        return self.says, self.headers, b"{}"


@pytest.fixture
def provider():
    with (
        Provider() as server,
        override_settings(TEXT_MESSAGES_URL=f"{server.url}/send?from=us", TEXT_MESSAGES_SECRET="s3"),
    ):
        yield server


@pytest.fixture
def kept(settings, tmp_path) -> Kept:
    settings.TEXT_MESSAGES_KEPT = str(tmp_path / "deep" / "texts.jsonl")
    return Kept()


@pytest.mark.django_db
def test_kept_messages_are_read_newest_first_by_every_process(kept):
    assert list(kept.messages()) == []
    assert kept.newest(TO) is None

    for number in (1, 2):
        kept.send(to=TO, text=Secret(f"message {number}\nof two"))
    kept.send(to=Secret("+1"), text=TEXT)

    assert [message.text for message in Kept().messages()] == [TEXT.reveal(), "message 2\nof two", "message 1\nof two"]
    assert kept.newest(TO).text == "message 2\nof two"


@pytest.mark.django_db
def test_kept_messages_are_the_latest_however_many_there_were(kept):
    for number in range(1_500):
        kept.send(to=TO, text=Secret(f"{number} 码"))

    found = [message.text for message in kept.messages()]
    assert 300 < len(found) < 1_500
    assert found == [f"{number} 码" for number in range(1_499, 1_499 - len(found), -1)]


def test_webhook_posts_number_and_text_with_its_secret(provider):
    Webhook().send(to=TO, text=TEXT)

    [(method, path, headers, body)] = provider.requests
    assert (method, path) == ("POST", "/send?from=us")
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer s3", "application/json")
    assert json.loads(body) == {"to": TO.reveal(), "text": TEXT.reveal()}


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 429, 500])
def test_webhook_that_is_not_taken_is_not_sent_and_goes_nowhere_else(provider, status):
    provider.says, provider.headers = status, {"Location": f"{provider.url}/elsewhere"}

    with pytest.raises(NotSent) as refusal:
        Webhook().send(to=TO, text=TEXT)

    assert str(refusal.value) == f"answered {status}"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("trouble", ["cut", "hang"])
def test_webhook_without_an_answer_is_not_sent(provider, trouble, monkeypatch):
    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    provider.trouble = trouble

    with pytest.raises(NotSent) as refusal:
        Webhook().send(to=TO, text=TEXT)
    assert not any(secret in str(refusal.value) for secret in (TO.reveal(), TEXT.reveal(), "s3"))


def test_webhook_to_nobody_is_not_sent(settings):
    settings.TEXT_MESSAGES_URL, settings.TEXT_MESSAGES_SECRET = "http://127.0.0.1:1/", "s3"

    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        Webhook().send(to=TO, text=TEXT)


def test_webhook_to_a_certificate_that_nobody_vouches_for_is_not_sent(provider, settings):
    """What is no TLS at all stands for every other that cannot be trusted."""
    settings.TEXT_MESSAGES_URL = provider.url.replace("http:", "https:")

    with pytest.raises(NotSent, match="SSL"):
        Webhook().send(to=TO, text=TEXT)
    assert provider.requests == []


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("", "s3", "TEXT_MESSAGES_URL begins with"),
        ("texts.example.com", "s3", "TEXT_MESSAGES_URL begins with"),
        ("http://texts.example.com/", "s3", "TEXT_MESSAGES_URL begins with"),
        ("file:///etc/passwd", "s3", "TEXT_MESSAGES_URL begins with"),
        ("https://texts.example.com:x/", "s3", "TEXT_MESSAGES_URL cannot be read"),
        ("https://texts.example.com/", "", "TEXT_MESSAGES_SECRET is missing"),
        ("https://texts.example.com/", "a\r\nX-Other: b", "TEXT_MESSAGES_SECRET is missing, or has other"),
    ],
)
def test_half_a_webhook_is_none_and_stops_the_start(settings, url, secret, why):
    settings.TEXT_MESSAGES, settings.TEXT_MESSAGES_URL, settings.TEXT_MESSAGES_SECRET = WEBHOOK, url, secret

    with pytest.raises(ImproperlyConfigured, match=why):
        text_messages.backend()
    [found] = checks.text_messages_leave()
    assert (found.id, found.is_serious()) == ("paymentsite.E070", True)
    assert why in found.msg


@pytest.mark.parametrize(
    ("path", "production", "found"),
    [
        ("", False, []),
        ("", True, ["paymentsite.W070"]),
        ("paymentsite.core.text_messages.kept.Kept", False, []),
        ("paymentsite.core.text_messages.kept.Kept", True, ["paymentsite.E071"]),
        ("paymentsite.nowhere.Sends", False, ["paymentsite.E070"]),
        (WEBHOOK, True, []),
    ],
)
def test_what_production_lacks_is_said(settings, path, production, found):
    settings.TEXT_MESSAGES, settings.PRODUCTION = path, production
    settings.TEXT_MESSAGES_URL, settings.TEXT_MESSAGES_SECRET = "https://texts.example.com/", "s3"

    assert [message.id for message in checks.text_messages_leave()] == found
