"""Which gateway executes what."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core import terms
from paymentsite.core.money import Money
from paymentsite.core.rounding import Rounding


class GatewayRouteQuerySet(models.QuerySet["GatewayRoute"]):
    def fitting(self, *, kind: str, method: str, amount: Money) -> Self:
        """Switched on, and for such an order."""
        upper = Q(to_minor=None) | Q(to_minor__gte=amount.minor)
        return self.filter(upper, is_on=True, kind=kind, method=method, currency=amount.unit).filter(
            from_minor__lte=amount.minor
        )


@terms.decided()
class GatewayRoute(models.Model):
    """A gateway that may execute orders of one kind, method and currency between two amounts, and its cost to us."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("top-up")
        PAYOUT = "payout", _("withdrawal")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    method = models.CharField(_("method"), max_length=40)
    currency = models.CharField(_("currency"), max_length=3)
    gateway = models.CharField(_("gateway"), max_length=40)
    from_minor = models.BigIntegerField(_("from"), default=1)
    to_minor = models.BigIntegerField(_("to"), null=True)
    cost_bp = models.PositiveIntegerField(_("cost, as a share"), default=0)
    cost_minor = models.BigIntegerField(_("cost for each order"), default=0)
    priority = models.PositiveSmallIntegerField(_("priority"), default=100, help_text=_("smaller comes first"))
    is_on = models.BooleanField(_("on"), default=True)

    objects = GatewayRouteQuerySet.as_manager()

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        permissions = [("edit_route", _("Can change which gateway executes what"))]
        constraints = [
            models.UniqueConstraint(
                name="wallets_gatewayroute_once", fields=["kind", "method", "currency", "gateway", "from_minor"]
            ),
            models.CheckConstraint(
                name="wallets_gatewayroute_span",
                condition=Q(from_minor__gt=0) & (Q(to_minor=None) | Q(to_minor__gte=F("from_minor"))),
            ),
            models.CheckConstraint(name="wallets_gatewayroute_cost", condition=Q(cost_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.method} {self.currency} by {self.gateway}"

    def cost(self, amount: Money) -> Money:
        """What the gateway takes from us for it."""
        return amount.basis_points(self.cost_bp, rounding=Rounding.UP) + Money(self.cost_minor, amount.unit)
