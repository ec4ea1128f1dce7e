"""Lots: value that expires."""

from datetime import date
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.ledger.models.accounts import Account
from paymentsite.ledger.models.holds import Hold
from paymentsite.ledger.models.journals import Journal

NEVER: Final = date.max
_GONE = F("used_minor") + F("expired_minor") + F("held_minor")


class LotQuerySet(models.QuerySet["Lot"]):
    def with_left(self) -> Self:
        return self.filter(issued_minor__gt=_GONE)

    def alive(self, day: date) -> Self:
        return self.with_left().filter(active_on__lte=day, expires_on__gte=day)

    def dead(self, day: date) -> Self:
        return self.with_left().filter(expires_on__lt=day)


class Lot(models.Model):
    """Value of one origin that can be spent from one day through another. What is issued again for both joins it."""

    id = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="lot_rows", db_index=False)
    origin = models.CharField(max_length=80)
    active_on = models.DateField(help_text=_("the first day it can be spent"))
    expires_on = models.DateField(help_text=_("the last day it can be spent"))
    issued_minor = models.BigIntegerField()
    used_minor = models.BigIntegerField(default=0)
    expired_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)

    objects = LotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ledger_lot_once", fields=["account", "origin", "active_on", "expires_on"]),
            models.CheckConstraint(
                name="ledger_lot_arithmetic",
                condition=Q(used_minor__gte=0, expired_minor__gte=0, held_minor__gte=0, issued_minor__gte=_GONE),
            ),
            models.CheckConstraint(name="ledger_lot_days", condition=Q(expires_on__gte=F("active_on"))),
        ]
        indexes = [
            models.Index(name="ledger_lot_left", fields=["account", "expires_on"], condition=Q(issued_minor__gt=_GONE)),
            models.Index(name="ledger_lot_expiry", fields=["expires_on"], condition=Q(issued_minor__gt=_GONE)),
        ]

    def __str__(self) -> str:
        return f"{self.left_minor} left of {self.origin} until {self.expires_on}"

    @property
    def left_minor(self) -> int:
        return self.issued_minor - self.used_minor - self.expired_minor - self.held_minor


@immutable
class LotUse(models.Model):
    """One thing that a journal did to a lot."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("issued")
        WITHDRAWN = "withdrawn", _("withdrawn")
        USED = "used", _("used")
        RETURNED = "returned", _("returned")
        HELD = "held", _("held")
        UNHELD = "unheld", _("unheld")
        EXPIRED = "expired", _("expired")

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses")
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="lot_uses")
    position = models.SmallIntegerField(help_text=_("the entry of the journal that did it"))
    hold = models.ForeignKey(Hold, models.PROTECT, null=True, related_name="lot_uses")
    kind = models.CharField(max_length=10, choices=Kind)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_lot_use_amount", condition=Q(amount_minor__gt=0)),
            models.UniqueConstraint(name="ledger_lot_use_once", fields=["journal", "position", "lot", "kind"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"
