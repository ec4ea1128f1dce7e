from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "paymentsite.portal"
    label = "portal"
