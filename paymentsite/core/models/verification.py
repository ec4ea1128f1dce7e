"""When everything was last found to be as it must."""

from django.db import models
from django.db.models import Q


class LastGoodRun(models.Model):
    """The last run of ``verify`` that found nothing: what the next fast one may take as looked at. One row."""

    THE_ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ROW)
    at = models.DateTimeField(help_text="the last good run, whole or fast")
    whole_at = models.DateTimeField(help_text="the last good run that looked at everything")
    marks = models.JSONField(help_text="by app, how far it looked")

    class Meta:
        constraints = [models.CheckConstraint(name="core_last_good_run_single_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"good at {self.at:%Y-%m-%d %H:%M:%S}"
