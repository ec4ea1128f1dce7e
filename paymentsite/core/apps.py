from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from paymentsite.core import checks, database, labels, realms
from paymentsite.core.immutability import install_after_migrate
from paymentsite.core.text_messages import checks as text_messages


class CoreConfig(AppConfig):
    name = "paymentsite.core"
    label = "core"

    def ready(self) -> None:
        checks.register()
        text_messages.register()
        labels.translate_when_read()
        connection_created.connect(database.listen, dispatch_uid="core.database")
        connection_created.connect(realms.keep_out, dispatch_uid="core.realms")
        post_migrate.connect(realms.mark_after_migrate, dispatch_uid="core.realms")
        post_migrate.connect(install_after_migrate, dispatch_uid="core.immutability")
        # Jobs are declared in the apps' tasks: every process that moves the clock must know all of them.
        autodiscover_modules("tasks")
