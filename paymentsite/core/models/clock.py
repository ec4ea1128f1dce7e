from datetime import timedelta

from django.db import models
from django.db.models import Q


class ClockShift(models.Model):
    """How far the sandbox's clock is ahead of the machine's: one row that only grows."""

    THE_ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ROW)
    shift = models.DurationField(default=timedelta(0))

    class Meta:
        constraints = [
            models.CheckConstraint(name="core_clock_shift_single_row", condition=Q(id=1)),
            models.CheckConstraint(name="core_clock_shift_forward", condition=Q(shift__gte=timedelta(0))),
        ]

    def __str__(self) -> str:
        return f"{self.shift} ahead"
