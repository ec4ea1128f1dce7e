from django.apps import AppConfig
from django.db.models.signals import post_migrate

from paymentsite.core.immutability import install_after_migrate


class CoreConfig(AppConfig):
    name = "paymentsite.core"
    label = "core"

    def ready(self) -> None:
        post_migrate.connect(install_after_migrate, dispatch_uid="core.immutability")
