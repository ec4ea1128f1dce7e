"""Requests to pay: one member asks another for money."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from wallets.models.transfers import NOTE_MAX, REFERENCE_MAX, Transfer


class MoneyRequestQuerySet(models.QuerySet["MoneyRequest"]):
    def open(self) -> Self:
        return self.filter(state=MoneyRequest.State.OPEN)


@immutable(except_columns=["note", "state", "transfer_id", "ended_at"])
class MoneyRequest(models.Model):
    """Somebody asked somebody else for an amount. It ends once, and paid only by a transfer of its own.

    What is asked, of whom and for whom is written once.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PAID = "paid", _("paid")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    public_id = models.UUIDField(unique=True, editable=False)
    asker = models.ForeignKey(Member, models.PROTECT, related_name="requests_made", verbose_name=_("asks"))
    payer = models.ForeignKey(Member, models.PROTECT, related_name="requests_received", verbose_name=_("is asked"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    note = models.CharField(_("note"), max_length=NOTE_MAX, blank=True)
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+", verbose_name=_("paid by"))
    asked_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("open until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = MoneyRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request to pay")
        verbose_name_plural = _("requests to pay")
        permissions = [("end_request", _("Can withdraw requests to pay"))]
        constraints = [
            models.UniqueConstraint(name="wallets_request_once", fields=["asker", "reference"]),
            models.CheckConstraint(name="wallets_request_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="wallets_request_two_members", condition=~Q(asker=F("payer"))),
            models.CheckConstraint(
                name="wallets_request_paid_by_transfer",
                condition=Q(state="paid", transfer__isnull=False) | (~Q(state="paid") & Q(transfer=None)),
            ),
            models.CheckConstraint(
                name="wallets_request_ended",
                condition=Q(state="open", ended_at=None) | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="wallets_request_due", fields=["expires_at"], condition=Q(state="open")),
            models.Index(name="wallets_request_received", fields=["payer", "-id"]),
        ]

    def __str__(self) -> str:
        return gettext("%(amount)s asked of member %(payer)s by member %(asker)s") % {
            "amount": self.amount,
            "payer": self.payer_id,
            "asker": self.asker_id,
        }

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def source(self) -> str:
        return f"request:{self.public_id}"


class RequestBlock(models.Model):
    """``member`` wants no requests from ``blocked``."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="request_blocks")
    blocked = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("block of requests")
        verbose_name_plural = _("blocks of requests")
        constraints = [
            models.UniqueConstraint(name="wallets_request_block_once", fields=["member", "blocked"]),
            models.CheckConstraint(name="wallets_request_block_two", condition=~Q(member=F("blocked"))),
        ]

    def __str__(self) -> str:
        return gettext("member %(member)s blocks member %(blocked)s") % {
            "member": self.member_id,
            "blocked": self.blocked_id,
        }
