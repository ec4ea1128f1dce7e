from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from paymentsite.core import checks


class CoreConfig(AppConfig):
    name = "paymentsite.core"
    label = "core"

    def ready(self) -> None:
        checks.register()
        # Jobs are declared in the apps' tasks: every process that moves the clock must know all of them.
        autodiscover_modules("tasks")
