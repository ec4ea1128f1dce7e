from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "paymentsite.api"
    label = "api"
