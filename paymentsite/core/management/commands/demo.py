"""Sample data for a sandbox: enough of everything to look around in."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Fill the sandbox with sample data. Run again, it adds only what is missing."

    def handle(self, **_: Any) -> None:
        """Each app with a module ``demo`` has filled itself, lower apps first, and said so."""
        if not settings.SANDBOX:
            raise CommandError("Sample data has well-known passwords: only with SANDBOX=1.")
        for app in apps.get_app_configs():
            if find_spec(f"{app.name}.demo"):
                for line in import_module(f"{app.name}.demo").fill():
                    self.stdout.write(line)
