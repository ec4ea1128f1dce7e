from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "paymentsite.ledger"
    label = "ledger"
