from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "paymentsite.partners"
    label = "partners"
