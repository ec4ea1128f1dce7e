from importlib import import_module

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"

    def ready(self) -> None:
        # Statements tell what these services did: every process that shows one must know how.
        import_module("wallets.services.exchanges")
