"""Transfers: money that went from one member to another."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal

NOTE_MAX = 140
REFERENCE_MAX = 100


class TransferQuerySet(models.QuerySet["Transfer"]):
    def of(self, member: Member) -> Self:
        """Sent by the member, or to them."""
        return self.filter(Q(sender=member) | Q(receiver=member))


@immutable(except_columns=["note"])
class Transfer(models.Model):
    """What was sent. There is none but one that was done; written once, and never changed but for its note, which
    goes when one of the two is erased.

    ``occasion`` names what it was sent for, where that is a row of ours: ``request:…``, ``standing_run:…``.
    """

    public_id = models.UUIDField(unique=True, editable=False)
    sender = models.ForeignKey(Member, models.PROTECT, related_name="transfers_sent", verbose_name=_("from"))
    receiver = models.ForeignKey(Member, models.PROTECT, related_name="transfers_received", verbose_name=_("to"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    fee_minor = models.BigIntegerField(_("fee"), default=0)
    note = models.CharField(_("note"), max_length=NOTE_MAX, blank=True)
    occasion = models.CharField(_("on the occasion of"), max_length=80, blank=True)
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(_("sent"))

    objects = TransferQuerySet.as_manager()

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(name="wallets_transfer_once", fields=["sender", "reference"]),
            models.UniqueConstraint(
                name="wallets_transfer_occasion_once", fields=["occasion"], condition=~Q(occasion="")
            ),
            models.CheckConstraint(name="wallets_transfer_amounts", condition=Q(amount_minor__gt=0, fee_minor__gte=0)),
            models.CheckConstraint(name="wallets_transfer_two_members", condition=~Q(sender=F("receiver"))),
        ]
        indexes = [models.Index(name="wallets_transfer_received", fields=["receiver", "-id"])]

    def __str__(self) -> str:
        return gettext("%(amount)s from member %(sender)s to member %(receiver)s") % {
            "amount": self.amount,
            "sender": self.sender_id,
            "receiver": self.receiver_id,
        }

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def source(self) -> str:
        """How a journal names it."""
        return f"transfer:{self.public_id}"
