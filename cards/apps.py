from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CardsConfig(AppConfig):
    name = "cards"
    verbose_name = _("Cards")

    def ready(self) -> None:
        # Statements tell what these services did: every process that shows one must know how.
        import_module("cards.services.loading")
        # A membership ends wherever it is ended, and its cards with it.
        import_module("cards.services.ending")
