"""Text messages through whoever takes ``{"to", "text"}`` by HTTPS: a provider's own door, or a few lines before it."""

import json
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import ClassVar, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.text_messages import NotSent
from paymentsite.core.vault import Secret

# A member waits for it.
SECONDS: Final = 5.0
# What it says beside its status is not looked at.
_ANSWER_MAX: Final = 1 << 16
_THIS_MACHINE: Final = {"localhost", "127.0.0.1", "::1"}


class Webhook:
    """Posts to ``settings.TEXT_MESSAGES_URL`` with ``settings.TEXT_MESSAGES_SECRET`` as bearer; 2xx means taken.

    Redirects are not followed: the secret is for the one who was named.
    """

    leaves: ClassVar[bool] = True

    def __init__(self) -> None:
        self._url, self._port = _checked(settings.TEXT_MESSAGES_URL)
        self._bearer = Secret(settings.TEXT_MESSAGES_SECRET)
        if not self._bearer or not _is_token(self._bearer):
            raise ImproperlyConfigured("TEXT_MESSAGES_SECRET is missing, or has other characters than a token may.")

    def send(self, *, to: Secret, text: Secret) -> None:
        body = json.dumps({"to": to.reveal(), "text": text.reveal()}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._bearer.reveal()}"}
        connection = self._connection()
        try:
            connection.request("POST", f"{self._url.path or '/'}{self._query()}", body, headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_MAX)
        except (OSError, HTTPException) as error:
            raise NotSent(type(error).__name__) from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:  # noqa: PLR2004  HTTP's own
            raise NotSent(f"answered {answer.status}")

    def _connection(self) -> HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "http":
            return HTTPConnection(host, self._port, timeout=SECONDS)
        return HTTPSConnection(host, self._port, timeout=SECONDS, context=ssl.create_default_context())

    def _query(self) -> str:
        return f"?{self._url.query}" if self._url.query else ""


def _checked(text: str) -> tuple[SplitResult, int | None]:
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError as error:
        raise ImproperlyConfigured(f"TEXT_MESSAGES_URL cannot be read: {error}.") from error
    if not host or not (url.scheme == "https" or (url.scheme == "http" and host in _THIS_MACHINE)):
        raise ImproperlyConfigured("TEXT_MESSAGES_URL begins with https://, or with http:// on this machine.")
    return url, port


def _is_token(secret: Secret) -> bool:
    return all("!" <= character <= "~" for character in secret.reveal())
