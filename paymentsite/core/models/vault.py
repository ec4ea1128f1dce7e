from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class KeyRotation(models.Model):
    """One table's way to the current keys. The rows themselves say what is done; this says where to go on."""

    table = models.CharField(max_length=100)
    target = models.CharField(max_length=150, help_text="the current keys that it leads to")
    position = models.CharField(max_length=200, blank=True, help_text="the last primary key looked at")
    rows_seen = models.BigIntegerField(default=0)
    rows_moved = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["KeyRotation"]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="core_key_rotation_once", fields=["table", "target"]),
            models.CheckConstraint(
                name="core_key_rotation_counts",
                condition=Q(rows_moved__gte=0) & Q(rows_seen__gte=F("rows_moved")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.table} → {self.target}"
