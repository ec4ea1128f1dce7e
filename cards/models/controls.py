"""Controls of cards, as they were set: the newest of each subject is in force."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cards.models.cards import Card, CardEvent
from cards.models.products import CardProduct
from members.models import Member
from paymentsite.core.immutability import immutable


class CardControlsQuerySet(models.QuerySet["CardControls"]):
    def about(self, subject: Card | Member | CardProduct, *, raised: bool = False) -> Self:
        name = {Card: "card", Member: "member", CardProduct: "product"}[type(subject)]
        return self.filter(raised=raised, **{name: subject})


@immutable
class CardControls(models.Model):
    """What a card, all cards of a member, or each card of a product may be used for, from this moment on.

    What was ``raised`` was approved by a second person: it stands in the place of what the product says for that card.
    """

    card = models.ForeignKey(Card, models.PROTECT, null=True, related_name="controls", verbose_name=_("card"))
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", verbose_name=_("member"))
    product = models.ForeignKey(CardProduct, models.PROTECT, null=True, related_name="+", verbose_name=_("product"))
    raised = models.BooleanField(_("in place of the product's"), default=False)
    terms = models.JSONField[Any](_("what is allowed"))
    channel = models.CharField(_("by way of"), max_length=5, choices=CardEvent.Channel)
    actor = models.CharField(_("by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"))

    objects = CardControlsQuerySet.as_manager()

    class Meta:
        verbose_name = _("controls of cards")
        verbose_name_plural = _("controls of cards")
        permissions = [
            ("raise_controls", _("Can propose that a card may do more than its product says")),
            ("approve_raised_controls", _("Can approve that a card may do more than its product says")),
            ("set_product_controls", _("Can propose what cards of a product may do")),
        ]
        constraints = [
            models.CheckConstraint(
                name="cards_controls_one",
                condition=Q(card__isnull=False, member=None, product=None)
                | Q(card=None, member__isnull=False, product=None, raised=False)
                | Q(card=None, member=None, product__isnull=False, raised=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("controls %(number)s") % {"number": self.pk}
