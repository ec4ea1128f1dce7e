"""Accounts and their balances."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money


class AccountQuerySet(models.QuerySet["Account"]):
    def of(self, owner: str) -> Self:
        return self.filter(owner=owner)

    def deferred(self) -> Self:
        return self.filter(mode=Account.Mode.DEFERRED)


@immutable
class Account(models.Model):
    """Where value of one unit is kept for one owner. What it is never changes; what is on it stands in its balance.

    A *strict* account is checked and counted at every posting. A *deferred* one is hot (fees, clearing, a big
    merchant): a posting touches no row of it, so it has no floor, and the block closer rolls its postings up.
    """

    class Kind(models.TextChoices):
        ASSET = "asset", _("asset")
        LIABILITY = "liability", _("liability")
        INCOME = "income", _("income")
        EXPENSE = "expense", _("expense")
        EQUITY = "equity", _("equity")

    class Mode(models.TextChoices):
        STRICT = "strict", _("strict")
        DEFERRED = "deferred", _("deferred")

    public_id = models.UUIDField(unique=True, editable=False)
    unit = models.CharField(max_length=8)
    kind = models.CharField(max_length=10, choices=Kind)
    owner = models.CharField(max_length=80, help_text=_("type:id of what it belongs to"))
    code = models.CharField(max_length=60, help_text=_("which of the owner's accounts it is"))
    mode = models.CharField(max_length=10, choices=Mode)
    lots = models.BooleanField(default=False, help_text=_("its value expires lot by lot"))
    opened_at = models.DateTimeField()

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ledger_account_once", fields=["owner", "code", "unit"]),
            models.CheckConstraint(name="ledger_account_lots_are_strict", condition=Q(lots=False) | Q(mode="strict")),
            models.CheckConstraint(
                name="ledger_account_kind",
                condition=Q(kind__in=["asset", "liability", "income", "expense", "equity"]),
            ),
            models.CheckConstraint(name="ledger_account_mode", condition=Q(mode__in=["strict", "deferred"])),
        ]
        # So that the few accounts of a rare kind are found among those of all members.
        indexes = [models.Index(name="ledger_account_code", fields=["code"])]

    def __str__(self) -> str:
        return f"{self.owner} {self.code} {self.unit}"

    @property
    def strict(self) -> bool:
        return self.mode == Account.Mode.STRICT


class Balance(models.Model):
    """The one row of an account that postings change, locked while they do.

    ``posted`` is what came in less what went out; for a deferred account, up to the last roll-up. The constraint
    makes an overdraft impossible rather than forbidden.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        NO_DEBIT = "no_debit", _("nothing out")
        FROZEN = "frozen", _("frozen")
        CLOSED = "closed", _("closed")

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True)
    posted_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    floor_minor = models.BigIntegerField(null=True)
    seq = models.BigIntegerField(default=0, help_text=_("postings so far, of a strict account"))
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)

    class Meta:
        constraints = [
            # Without a floor there is nothing to compare with, and what is not known to be false passes.
            models.CheckConstraint(
                name="ledger_balance_floor", condition=Q(posted_minor__gte=F("floor_minor") + F("held_minor"))
            ),
            models.CheckConstraint(name="ledger_balance_held", condition=Q(held_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.posted} on {self.account}"

    @property
    def posted(self) -> Money:
        return Money(self.posted_minor, self.account.unit)

    @property
    def held(self) -> Money:
        return Money(self.held_minor, self.account.unit)

    @property
    def available(self) -> Money | None:
        """What can still be spent; None where there is no floor to stop at."""
        if self.floor_minor is None:
            return None
        return Money(self.posted_minor - self.held_minor - self.floor_minor, self.account.unit)


@immutable
class AccountEvent(models.Model):
    """A change of an account's status or floor, and at which posting of it the change took effect."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        STATUS = "status", _("status")
        FLOOR = "floor", _("floor")

    account = models.ForeignKey(Account, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Balance.Status)
    floor_minor = models.BigIntegerField(null=True)
    seq = models.BigIntegerField(help_text=_("the account's last posting before the change"))
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ledger_account_event_kind", condition=Q(kind__in=["opened", "status", "floor"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
