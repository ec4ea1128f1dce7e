from importlib import import_module

from django.apps import AppConfig

from wallets.gateways import checks


class WalletsConfig(AppConfig):
    name = "wallets"

    def ready(self) -> None:
        checks.register()
        # Statements tell what these services did: every process that shows one must know how.
        import_module("wallets.services.exchanges")
        import_module("wallets.services.points_credit")
        # Wherever a member's time zone is changed, their standing orders follow.
        import_module("wallets.services.standing_moves")
