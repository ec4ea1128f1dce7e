from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "paymentsite.core"
    label = "core"
