"""Text messages: short words to one phone number, through what ``settings.TEXT_MESSAGES`` names by its dotted path.

    TEXT_MESSAGES = "paymentsite.core.text_messages.webhook.Webhook"

A backend is made without arguments and reads settings of its own. What it sends is on its way for good, so nobody sends
inside a transaction.
"""

from typing import ClassVar, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from paymentsite.core.vault import Secret


class NotSent(Exception):
    """Nobody took the message, or it is not known that somebody did. Says why, without a number and without a text."""


class TextMessages(Protocol):
    """Who sends text messages. ``leaves`` says whether they leave this machine."""

    leaves: ClassVar[bool]

    def send(self, *, to: Secret, text: Secret) -> None:
        """Somebody took ``text`` for the number ``to``, in E.164; raises ``NotSent`` otherwise."""
        ...


def backend() -> TextMessages | None:
    """Who sends them here; None where none is set up. Raises ``ImproperlyConfigured`` for half of one."""
    path = settings.TEXT_MESSAGES
    return cast("TextMessages", import_string(path)()) if path else None
