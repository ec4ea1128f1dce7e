"""What of the gateways stops the start: half a configuration, keys that are none, real money beside a toy clock."""

import os
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.checks import BOOT
from wallets.gateways import registry

HINT: Final = "See docs/gateways.md."


def register() -> None:
    """Make Django's check framework know these checks."""
    for check in (whole, usable, of_this_world):
        checks.register(check, checks.Tags.security, BOOT)


def whole(**_: Any) -> Iterator[checks.CheckMessage]:
    """A gateway of which anything is configured is configured wholly."""
    for problem in settings.GATEWAY_PROBLEMS:
        yield _error("E060", problem)


def usable(**_: Any) -> Iterator[checks.CheckMessage]:
    """Each adapter can be made: its package is there, its keys can be read. Nothing is asked of a gateway."""
    for name in registry.names():
        try:
            registry.get(name)
        except ImproperlyConfigured as error:
            yield _error("E061", f"The gateway {name} cannot be used: {error}")
    # Stripe's package would print what it sends, card numbers too, whatever our log hides.
    if "stripe" in settings.GATEWAYS and os.environ.get("STRIPE_LOG"):
        yield _error("E064", "STRIPE_LOG is set: Stripe's package would print what it sends.")


def of_this_world(**_: Any) -> Iterator[checks.CheckMessage]:
    """Gateways of tests where money is real, and real ones where it is not, wherever the two can be told apart."""
    if settings.PRODUCTION and settings.GATEWAYS and not settings.SITE_URL.startswith("https://"):
        yield _error("E065", f"SITE_URL is {settings.SITE_URL}, where gateways cannot tell what became of an order.")
    for name in registry.names():
        live = _live(name)
        if settings.PRODUCTION and live is False:
            yield _error("E062", f"The gateway {name} is a test's: it would say that money came which did not.")
        if settings.SANDBOX and live:
            yield _error("E063", f"The gateway {name} moves real money beside SANDBOX, whose clock can be moved.")


def _live(name: str) -> bool | None:
    """Whether the gateway moves real money; None where its adapter does not say, or cannot be made."""
    try:
        return getattr(registry.get(name), "live", None)
    except ImproperlyConfigured:
        return None


def _error(number: str, sentence: str) -> checks.Error:
    return checks.Error(sentence, hint=HINT, id=f"paymentsite.{number}")
