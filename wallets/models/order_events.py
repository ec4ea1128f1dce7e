"""What happened to orders to gateways."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from wallets.models.orders import ProofDeposit, State, TopUp, Withdrawal


@immutable
class OrderEvent(models.Model):
    """Something that happened to an order, and how it stood after it. Written once, never changed."""

    class Origin(models.TextChoices):
        REQUEST = "request", _("request")
        CALL = "call", _("the gateway's first answer")
        QUERY = "query", _("the gateway, asked again")
        NOTIFICATION = "notification", _("the gateway's notification")
        STAFF = "staff", _("staff")

    top_up = models.ForeignKey(TopUp, models.PROTECT, null=True, related_name="events")
    withdrawal = models.ForeignKey(Withdrawal, models.PROTECT, null=True, related_name="events")
    proof_deposit = models.ForeignKey(ProofDeposit, models.PROTECT, null=True, related_name="events")
    origin = models.CharField(_("from"), max_length=12, choices=Origin)
    state = models.CharField(_("state since"), max_length=16, choices=State)
    outcome = models.CharField(_("what was said"), max_length=16, blank=True)
    gateway = models.CharField(_("gateway"), max_length=40)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event of an order")
        verbose_name_plural = _("events of orders")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="wallets_orderevent_one_order",
                condition=Q(top_up__isnull=False, withdrawal=None, proof_deposit=None)
                | Q(top_up=None, withdrawal__isnull=False, proof_deposit=None)
                | Q(top_up=None, withdrawal=None, proof_deposit__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="wallets_orderevent_health", fields=["gateway", "-at"], condition=Q(origin="call")),
        ]

    def __str__(self) -> str:
        return gettext("%(state)s, by %(origin)s") % {
            "state": self.get_state_display(),
            "origin": self.get_origin_display(),
        }
