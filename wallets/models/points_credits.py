"""Points turned into money."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Member, PointValue
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal
from wallets.models.wallets import Wallet


@immutable
class PointsCredit(models.Model):
    """So many points became so much money in a wallet, at what a point was worth then. Written once."""

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="points_credits")
    reference = models.CharField(_("reference"), max_length=100)
    points = models.BigIntegerField(_("points"))
    value = models.ForeignKey(PointValue, models.PROTECT, related_name="+", verbose_name=_("value of points"))
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("credit for points")
        verbose_name_plural = _("credits for points")
        constraints = [
            models.UniqueConstraint(name="wallets_pointscredit_reference", fields=["member", "reference"]),
            models.CheckConstraint(name="wallets_pointscredit_positive", condition=Q(points__gt=0, amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.points} PTS → {self.amount}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.value.currency)
