"""What a point is worth."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core import terms
from paymentsite.core.immutability import immutable


@terms.decided()
@immutable
class PointValue(models.Model):
    """From ``starts_at`` on, ``points`` are worth ``value_minor`` of ``currency``. The latest that has begun counts."""

    currency = models.CharField(_("currency"), max_length=3)
    points = models.BigIntegerField(_("points"))
    value_minor = models.BigIntegerField(_("are worth"), help_text=_("in the currency's smallest part"))
    starts_at = models.DateTimeField(_("from"))

    class Meta:
        verbose_name = _("value of points")
        verbose_name_plural = _("values of points")
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="members_point_value_positive", condition=Q(points__gt=0, value_minor__gt=0)),
            models.UniqueConstraint(name="members_point_value_once", fields=["currency", "starts_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.points} PTS = {self.value_minor} {self.currency}"
