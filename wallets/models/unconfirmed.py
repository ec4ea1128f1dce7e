"""What went out of a member's wallets without their payment PIN."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.money import Money


class Unconfirmed(models.Model):
    """How much a member sent in a currency since they last confirmed with the PIN, counted for a day from the first.

    A counter, changed under its member's lock: so that a session in foreign hands cannot send by many small amounts
    what it cannot by one.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("amount sent without PIN")
        verbose_name_plural = _("amounts sent without PIN")
        constraints = [
            models.UniqueConstraint(name="wallets_unconfirmed_once", fields=["member", "currency"]),
            models.CheckConstraint(name="wallets_unconfirmed_amount", condition=Q(amount_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.member} since {self.since:%Y-%m-%d %H:%M}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
