from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "paymentsite.risk"
    label = "risk"
