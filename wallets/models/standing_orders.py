"""Standing orders: transfers that time makes."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from wallets.models.transfers import NOTE_MAX, REFERENCE_MAX, Transfer


class StandingOrderQuerySet(models.QuerySet["StandingOrder"]):
    def active(self) -> Self:
        return self.filter(state=StandingOrder.State.ACTIVE)

    def due(self, now: datetime) -> Self:
        return self.active().filter(next_at__lte=now)


@immutable(except_columns=["note", "runs_done", "refused_in_a_row", "state", "next_on", "next_at", "paused_by"])
class StandingOrder(models.Model):
    """An amount to one payee, once on a day or on every due day from then on.

    While it is active, ``next_on`` is the due day that comes and ``next_at`` the moment at which it is tried. Its
    terms are written once: whoever wants others ends it and sets up another.
    """

    class Every(models.TextChoices):
        ONCE = "once", _("once")
        DAY = "day", _("every day")
        WEEK = "week", _("every week")
        MONTH = "month", _("every month")
        YEAR = "year", _("every year")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ENDED = "ended", pgettext_lazy("state of a standing order", "ended")

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="standing_orders", verbose_name=_("from"))
    payee = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("to"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    note = models.CharField(_("note"), max_length=NOTE_MAX, blank=True)
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    every = models.CharField(_("how often"), max_length=5, choices=Every)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True)
    count = models.PositiveIntegerField(_("how many due days"), null=True)
    runs_done = models.PositiveIntegerField(_("due days so far"), default=0)
    refused_in_a_row = models.PositiveSmallIntegerField(_("refused in a row"), default=0)
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.ACTIVE)
    next_on = models.DateField(_("next due day"), null=True)
    next_at = models.DateTimeField(_("tried next"), null=True)
    paused_by = models.CharField(_("paused by"), max_length=80, blank=True)
    made_at = models.DateTimeField(_("made"))

    objects = StandingOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing order")
        verbose_name_plural = _("standing orders")
        permissions = [("pause_order", _("Can pause and end standing orders"))]
        constraints = [
            models.UniqueConstraint(name="wallets_order_reference_once", fields=["member", "reference"]),
            models.CheckConstraint(name="wallets_order_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="wallets_order_two_members", condition=~Q(member=F("payee"))),
            models.CheckConstraint(
                name="wallets_order_next",
                condition=Q(state="active", next_on__isnull=False, next_at__isnull=False)
                | (~Q(state="active") & Q(next_on=None, next_at=None)),
            ),
            models.CheckConstraint(
                name="wallets_order_within_count", condition=Q(count=None) | Q(runs_done__lte=F("count"))
            ),
        ]
        indexes = [models.Index(name="wallets_order_due", fields=["next_at"], condition=Q(state="active"))]

    def __str__(self) -> str:
        return gettext("%(amount)s %(every)s from member %(member)s to member %(payee)s") % {
            "amount": self.amount,
            "every": self.get_every_display(),
            "member": self.member_id,
            "payee": self.payee_id,
        }

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class StandingRun(models.Model):
    """What became of one due day of a standing order. There is one for each."""

    class State(models.TextChoices):
        WAITING = "waiting", _("refused, tried once more today")
        PAID = "paid", _("paid")
        REFUSED = "refused", _("refused")
        MISSED = "missed", _("missed")

    public_id = models.UUIDField(unique=True, editable=False)
    order = models.ForeignKey(StandingOrder, models.PROTECT, related_name="runs")
    due_on = models.DateField(_("due"))
    state = models.CharField(_("what became of it"), max_length=7, choices=State)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+", verbose_name=_("transfer"))
    refusal = models.JSONField[Any](_("why not"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("due day of a standing order")
        verbose_name_plural = _("due days of standing orders")
        constraints = [
            models.UniqueConstraint(name="wallets_run_once", fields=["order", "due_on"]),
            models.CheckConstraint(
                name="wallets_run_paid_by_transfer",
                condition=Q(state="paid", transfer__isnull=False) | (~Q(state="paid") & Q(transfer=None)),
            ),
        ]

    def __str__(self) -> str:
        return gettext("standing order %(order)s on %(day)s") % {"order": self.order_id, "day": self.due_on}

    @property
    def source(self) -> str:
        return f"standing_run:{self.public_id}"
