"""The gateways that are configured: ``settings.GATEWAYS`` names each one's adapter and what it is made with.

    GATEWAYS = {"stripe": {"adapter": "wallets.gateways.stripe.Stripe", "key": Secret(…), …}}

An adapter is called with ``name=`` and the rest of its entry. Its package is an optional extra, so it is imported only
where it is configured.
"""

from functools import cache
from typing import cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from paymentsite.core.errors import Missing
from wallets.gateways.base import Gateway


class NoSuchGateway(Missing):
    code = "no_such_gateway"
    sentence = gettext_noop("No gateway {gateway} is configured.")


def names() -> list[str]:
    """The configured gateways, in the order of their names."""
    return sorted(settings.GATEWAYS)


def get(name: str) -> Gateway:
    """The gateway called ``name``, made once for each process; raises ``NoSuchGateway``."""
    if name not in settings.GATEWAYS:
        raise NoSuchGateway(gateway=name)
    return _made(name)


@cache
def _made(name: str) -> Gateway:
    options = dict(settings.GATEWAYS[name])
    return cast("Gateway", import_string(options.pop("adapter"))(name=name, **options))


def _forget(*, setting: str, **_: object) -> None:
    if setting == "GATEWAYS":
        _made.cache_clear()


setting_changed.connect(_forget)
