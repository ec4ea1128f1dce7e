"""Give a new site fees to begin with."""

from typing import Any

from django.core.management.base import BaseCommand

from wallets.services import fee_rules


class Command(BaseCommand):
    help = "Set fees for withdrawals and exchanges in CNY, EUR, JPY and USD, each where none was ever set."

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = fee_rules.set_defaults()
        self.stdout.write(f"{made} fees set." if made else "Nothing to do: fees are set for each kind and currency.")
