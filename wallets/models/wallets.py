"""Wallets: a member's money, one for each currency."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.ledger.models import Account


class WalletQuerySet(models.QuerySet["Wallet"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def open(self) -> Self:
        """Not closed; a frozen one is still there."""
        return self.exclude(state=Wallet.State.CLOSED)


@immutable(except_columns=["state"])
class Wallet(models.Model):
    """What a member holds in one currency. How much that is stands in the ledger alone.

    Whose it is, and on which account, is written once.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        FROZEN = "frozen", _("frozen")
        CLOSED = "closed", _("closed")

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="wallets")
    currency = models.CharField(_("currency"), max_length=3)
    account = models.OneToOneField(Account, models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"))

    objects = WalletQuerySet.as_manager()

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        permissions = [
            ("freeze", _("Can freeze wallets and thaw them")),
            ("end_membership", _("Can close memberships")),
        ]
        constraints = [
            models.UniqueConstraint(
                name="wallets_wallet_once", fields=["member", "currency"], condition=~Q(state="closed")
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(currency)s wallet of %(member)s") % {"currency": self.currency, "member": self.member}
