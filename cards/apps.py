from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CardsConfig(AppConfig):
    name = "cards"
    verbose_name = _("Cards")

    def ready(self) -> None:
        # Statements tell what these services did: every process that shows one must know how.
        import_module("cards.services.loading")
        import_module("cards.services.bank_credits")
        import_module("cards.statement_words")
        # What members owe is never moved by hand: every process that could must know.
        import_module("cards.services.settling")
        # A wallet is closed wherever it is, and the account numbers that lead into it with it.
        import_module("cards.services.account_life")
        # A membership ends wherever it is ended, and its cards with it.
        import_module("cards.services.ending")
        import_module("cards.services.credits_left")
