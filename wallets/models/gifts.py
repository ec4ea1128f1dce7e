"""Gift links: money set aside for whoever comes with the link."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault import lookup
from paymentsite.core.vault.secret import Secret
from paymentsite.ledger.models import Hold, Journal
from wallets.models.transfers import NOTE_MAX, REFERENCE_MAX

TOKEN_LABEL = "wallets.gift.token"  # noqa: S105  what digests of tokens are labelled with


class GiftQuerySet(models.QuerySet["Gift"]):
    def open(self) -> Self:
        return self.filter(state=Gift.State.OPEN)

    def due(self, now: datetime) -> Self:
        return self.open().filter(expires_at__lte=now)

    def called(self, token: Secret) -> Self:
        """The one whose link holds ``token``."""
        return self.filter(token_digest__in=lookup.digests(token, label=TOKEN_LABEL))


@immutable(except_columns=["note", "state", "claimed_by_id", "journal_id", "ended_at"])
class Gift(models.Model):
    """An amount, and the fee on it, held on the sender's wallet until the link is claimed, cancelled or runs out.

    What is given, by whom, until when and to which link is written once.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLAIMED = "claimed", _("claimed")
        CANCELLED = "cancelled", _("cancelled")
        RETURNED = "returned", _("returned")

    public_id = models.UUIDField(unique=True, editable=False)
    sender = models.ForeignKey(Member, models.PROTECT, related_name="gifts", verbose_name=_("from"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    fee_minor = models.BigIntegerField(_("fee"), default=0)
    note = models.CharField(_("note"), max_length=NOTE_MAX, blank=True)
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    token_digest = models.CharField(max_length=lookup.DIGEST_LENGTH_MAX, unique=True, editable=False)
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    claimed_by = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="gifts_claimed", verbose_name=_("claimed by")
    )
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+", verbose_name=_("claimed with"))
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("open until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = GiftQuerySet.as_manager()

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        permissions = [("return_gift", _("Can return gifts to their senders"))]
        constraints = [
            models.UniqueConstraint(name="wallets_gift_once", fields=["sender", "reference"]),
            models.CheckConstraint(name="wallets_gift_amounts", condition=Q(amount_minor__gt=0, fee_minor__gte=0)),
            models.CheckConstraint(
                name="wallets_gift_claimed",
                condition=Q(state="claimed", claimed_by__isnull=False, journal__isnull=False)
                | (~Q(state="claimed") & Q(claimed_by=None, journal=None)),
            ),
            models.CheckConstraint(
                name="wallets_gift_ended",
                condition=Q(state="open", ended_at=None) | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(name="wallets_gift_due", fields=["expires_at"], condition=Q(state="open"))]

    def __str__(self) -> str:
        return gettext("gift of %(amount)s from member %(sender)s") % {
            "amount": self.amount,
            "sender": self.sender_id,
        }

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def source(self) -> str:
        return f"gift:{self.public_id}"
