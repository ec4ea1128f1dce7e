"""Give a new site limits to begin with."""

from typing import Any

from django.core.management.base import BaseCommand

from members.services import limit_rules


class Command(BaseCommand):
    help = "Set limits for each identity level in CNY, EUR, JPY and USD, where no limit was ever set in the currency."

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = limit_rules.set_defaults()
        self.stdout.write(f"{made} limits set." if made else "Nothing to do: limits are set in each currency.")
