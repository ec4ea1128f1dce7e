"""The worker and the scheduler: everything that time does comes in here."""

from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

from paymentsite.core import checks

app = Celery("paymentsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Being connected is the point: Celery then leaves the logging alone that the settings configured."""


@worker_init.connect
@beat_init.connect
def refuse_unsafe(**_: Any) -> None:
    """Neither a worker nor the scheduler starts on settings that the web would refuse."""
    checks.refuse_unsafe()


if settings.CELERY_BROKER_URL.startswith("filesystem:"):
    settings.BROKER_FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
