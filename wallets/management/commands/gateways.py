"""Says which gateways are configured, what each can do, and what is wrong with the configuration."""

from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from wallets.gateways import checks, registry
from wallets.gateways.base import Gateway

_MONEY: Final = {True: "real money", False: "tests", None: ""}


class Command(BaseCommand):
    help = (
        "List the configured gateways, what each can do and where it is told to notify, and look their configuration "
        "over without asking any of them. Exit 1 when something is wrong with it."
    )

    # It runs those of gateways itself, after the list.
    requires_system_checks = ()

    def handle(self, **_: Any) -> None:
        for name in registry.names():
            try:
                self.stdout.write(_line(registry.get(name)))
            except ImproperlyConfigured as error:
                self.stdout.write(f"{name}: {error}")
        if not registry.names():
            self.stdout.write("No gateway is configured.")

        problems = [found for check in (checks.whole, checks.usable, checks.of_this_world) for found in check()]
        if problems:
            raise CommandError("\n".join(f"{found.msg} ({found.id})" for found in problems))


def _line(gateway: Gateway) -> str:
    able = ", ".join(sorted(gateway.capabilities))
    money = _MONEY[getattr(gateway, "live", None)]
    said = f"{gateway.name}: {able}; notifies {reverse('hooks', args=[gateway.name])}"
    return f"{said}; {money}" if money else said
