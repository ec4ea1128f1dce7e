"""What gateways told us by themselves."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.core.vault.fields import EncryptedField


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self) -> Self:
        """Stored, and nothing made of it yet; in the order in which they came."""
        return self.filter(state=Notification.State.RECEIVED).order_by("pk")


@immutable(except_columns={"state", "processed_at", "body"})
class Notification(models.Model):
    """A gateway's message, stored before anything is made of it, once for each of the gateway's event ids.

    Its body may say who paid, so it goes when they are erased.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        PROCESSED = "processed", _("taken into account")
        IGNORED = "ignored", _("about nothing of ours")
        STRAY = "stray", _("about an order that we do not know")

    public_id = models.UUIDField(unique=True, editable=False)
    gateway = models.CharField(_("gateway"), max_length=40)
    event_id = models.CharField(_("event"), max_length=128)
    kind = models.CharField(_("kind"), max_length=10, blank=True)
    about = models.CharField(_("about"), max_length=64, blank=True)
    outcome = models.CharField(_("outcome"), max_length=16, blank=True)
    gateway_reference = models.CharField(_("the gateway's reference"), max_length=128, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    body = EncryptedField("notification.body", bound_to=("public_id",), null=True)
    received_at = models.DateTimeField(_("received"))

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    processed_at = models.DateTimeField(_("processed"), null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(name="wallets_notification_once", fields=["gateway", "event_id"]),
            models.CheckConstraint(
                name="wallets_notification_processed",
                condition=Q(state="received", processed_at=None)
                | (~Q(state="received") & Q(processed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="wallets_notification_waiting", fields=["id"], condition=Q(state="received")),
            models.Index(name="wallets_notification_about", fields=["about"]),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"
