"""Holds: amounts set aside."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models.accounts import Account
from paymentsite.ledger.models.journals import Journal

_LEFT = F("captured_minor") + F("released_minor")


class HoldQuerySet(models.QuerySet["Hold"]):
    def open(self) -> Self:
        return self.filter(state=Hold.State.OPEN)

    def due(self, now: datetime) -> Self:
        return self.open().filter(expires_at__lte=now)


class Hold(models.Model):
    """An amount set aside on an account: still there, not spendable, until it is captured, released or expires."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CAPTURED = "captured", _("captured")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    unit = models.CharField(max_length=8)
    authorised_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0)
    released_minor = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ledger_hold_within_authorised",
                condition=Q(authorised_minor__gt=0, captured_minor__gte=0, released_minor__gte=0)
                & Q(authorised_minor__gte=_LEFT),
            ),
            models.CheckConstraint(
                name="ledger_hold_open_while_left",
                condition=Q(state="open", authorised_minor__gt=_LEFT)
                | (Q(state__in=["captured", "released", "expired"]) & Q(authorised_minor=_LEFT)),
            ),
        ]
        indexes = [
            models.Index(name="ledger_hold_open", fields=["account"], condition=Q(state="open")),
            models.Index(name="ledger_hold_due", fields=["expires_at"], condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.left} held on {self.account_id}"

    @property
    def left(self) -> Money:
        """What is still set aside."""
        return Money(self.authorised_minor - self.captured_minor - self.released_minor, self.unit)


@immutable
class HoldEvent(models.Model):
    """One thing that happened to a hold, and what the hold was after it."""

    class Kind(models.TextChoices):
        PLACED = "placed", _("placed")
        INCREASED = "increased", _("increased")
        EXTENDED = "extended", _("extended")
        CAPTURED = "captured", _("captured")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("expired")

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="events")
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="hold_events")
    position = models.SmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    amount_minor = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_hold_event_amount", condition=Q(amount_minor__gte=0)),
            models.UniqueConstraint(name="ledger_hold_event_once", fields=["journal", "position", "kind"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"
