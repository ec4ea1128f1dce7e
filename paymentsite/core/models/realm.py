from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable


@immutable
class Realm(models.Model):
    """Whether the database holds real money or is for trying things out: one row, written by the first ``migrate``."""

    class Kind(models.TextChoices):
        PRODUCTION = "production", _("production")
        SANDBOX = "sandbox", _("sandbox")

    id = models.PositiveSmallIntegerField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(name="core_realm_single_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.get_kind_display()
