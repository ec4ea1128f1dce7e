"""What of text messages stops the start, and what does not work without them."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core import text_messages
from paymentsite.core.checks import BOOT

HINT: Final = "Set TEXT_MESSAGES_URL and TEXT_MESSAGES_SECRET, see deploy/README.md."


def register() -> None:
    """Make Django's check framework know this check."""
    checks.register(text_messages_leave, checks.Tags.security, BOOT)


def text_messages_leave(**_: Any) -> Iterator[checks.CheckMessage]:
    """Codes reach the phones that they are for, and nobody's log; without, what it takes is known."""
    try:
        backend = text_messages.backend()
    except (ImportError, TypeError, ImproperlyConfigured) as error:
        yield checks.Error(f"Text messages cannot be sent: {error}", hint=HINT, id="paymentsite.E070")
        return
    if not settings.PRODUCTION:
        return
    if backend is None:
        yield checks.Warning(
            "Text messages are not set up: nobody can prove a phone number, be paid by one or reach identity level 1.",
            hint=HINT,
            id="paymentsite.W070",
        )
    elif not backend.leaves:
        yield checks.Error(
            "TEXT_MESSAGES names what writes codes to the log and sends them to nobody.",
            hint=HINT,
            id="paymentsite.E071",
        )
