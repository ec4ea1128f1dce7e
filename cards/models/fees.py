"""What it costs to have a card, month by month."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cards.models.cards import Card
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal


@immutable(except_columns=["state", "tries", "journal_id", "at"])
class CardFee(models.Model):
    """A month's fee for a card: taken once, or waiting until there is enough, or not taken any more."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        PAID = "paid", _("paid")
        DROPPED = "dropped", _("not taken any more")

    card = models.ForeignKey(Card, models.PROTECT, related_name="fees", verbose_name=_("card"))
    due_on = models.DateField(_("due"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("monthly fee of a card")
        verbose_name_plural = _("monthly fees of cards")
        constraints = [
            models.UniqueConstraint(name="cards_cardfee_once", fields=["card", "due_on"]),
            models.CheckConstraint(name="cards_cardfee_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="cards_cardfee_paid",
                condition=Q(state="paid", journal__isnull=False) | ~Q(state="paid") & Q(journal=None),
            ),
        ]
        indexes = [models.Index(name="cards_cardfee_waiting", fields=["card"], condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.amount} {self.due_on}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
