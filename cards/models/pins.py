"""The PIN of a card, for terminals and cash machines; the member's payment PIN is another."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cards.models.cards import Card
from paymentsite.core.vault import Purpose
from paymentsite.core.vault.fields import EncryptedField

LABEL: Final = "card.pin"
TRIES: Final = 3


class CardPin(models.Model):
    """A card's PIN, and how often in a row it was guessed at. After the third wrong guess it takes a new one."""

    card = models.OneToOneField(Card, models.PROTECT, primary_key=True, related_name="pin", verbose_name=_("card"))
    hashed = EncryptedField(LABEL, bound_to=("card",), purpose=Purpose.PEPPER)
    tries = models.PositiveSmallIntegerField(_("wrong guesses in a row"), default=0)
    set_at = models.DateTimeField(_("set"))

    class Meta:
        verbose_name = _("PIN of a card")
        verbose_name_plural = _("PINs of cards")
        constraints = [models.CheckConstraint(name="cards_cardpin_tries", condition=Q(tries__lte=TRIES))]

    def __str__(self) -> str:
        return f"PIN of card {self.card_id}"
