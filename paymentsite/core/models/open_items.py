"""What needs a person."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core.disclosure import named
from paymentsite.core.immutability import immutable


class OpenItemQuerySet(models.QuerySet["OpenItem"]):
    def open(self) -> Self:
        return self.filter(state=OpenItem.State.OPEN)

    def about(self, subject: models.Model | str) -> Self:
        return self.filter(subject=named(subject))


@immutable(except_columns={"state", "owner", "closed_by", "closed_at", "note"})
class OpenItem(models.Model):
    """Something that a person must look at: once for each kind and subject while it is open."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")

    kind = models.CharField(_("kind"), max_length=60)
    subject = models.CharField(_("subject"), max_length=120)
    why = models.TextField(_("why"))
    since = models.DateTimeField(_("since"))
    opened_by = models.CharField(_("opened by"), max_length=80)

    owner = models.CharField(_("owner"), max_length=80, blank=True)
    state = models.CharField(_("state"), max_length=5, choices=State, default=State.OPEN)
    closed_by = models.CharField(_("closed by"), max_length=80, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    note = models.TextField(_("note"), blank=True)

    objects = OpenItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("open item")
        verbose_name_plural = _("open items")
        indexes = [models.Index(name="core_open_item_subject", fields=["subject"])]
        constraints = [
            models.UniqueConstraint(name="core_open_item_once", fields=["kind", "subject"], condition=Q(state="open")),
            models.CheckConstraint(
                name="core_open_item_closed",
                condition=Q(state="open", closed_at=None, closed_by="")
                | (Q(state="done", closed_at__isnull=False) & ~Q(closed_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
