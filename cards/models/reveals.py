"""When a member was shown what is on a card of theirs."""

from datetime import datetime
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cards.models.cards import Card, CardEvent
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.vault import Secret, lookup

TOKEN_LABEL: Final = "cards.reveal.token"  # noqa: S105  what digests of tokens are labelled with


class CardRevealQuerySet(models.QuerySet["CardReveal"]):
    def of(self, member: Member) -> Self:
        return self.filter(card__member=member)

    def called(self, token: Secret) -> Self:
        """The one that ``token`` was given for."""
        return self.filter(token_digest__in=lookup.digests(token, label=TOKEN_LABEL))

    def open_at(self, now: datetime) -> Self:
        """Those that may still be shown."""
        return self.filter(shown_at=None, expires_at__gt=now)


@immutable(except_columns=["shown_at"])
class CardReveal(models.Model):
    """Leave to see a card's number and code once, soon; ``shown_at`` is when they were seen."""

    class Proof(models.TextChoices):
        PIN = "pin", _("the payment PIN")
        SIGN_IN = "sign_in", _("having signed in again")

    public_id = models.UUIDField(unique=True, editable=False)
    card = models.ForeignKey(Card, models.PROTECT, related_name="reveals", verbose_name=_("card"))
    token_digest = models.CharField(max_length=lookup.DIGEST_LENGTH_MAX, unique=True, editable=False)
    proof = models.CharField(_("proven by"), max_length=7, choices=Proof)
    channel = models.CharField(_("by way of"), max_length=5, choices=CardEvent.Channel)
    asked_at = models.DateTimeField(_("asked for"))
    expires_at = models.DateTimeField(_("until"))
    shown_at = models.DateTimeField(_("shown"), null=True, blank=True)

    objects = CardRevealQuerySet.as_manager()

    class Meta:
        verbose_name = _("look at a card's number")
        verbose_name_plural = _("looks at cards' numbers")
        constraints = [
            models.CheckConstraint(name="cards_cardreveal_time", condition=Q(expires_at__gt=F("asked_at"))),
            models.CheckConstraint(
                name="cards_cardreveal_in_time",
                condition=Q(shown_at=None) | Q(shown_at__gte=F("asked_at"), shown_at__lt=F("expires_at")),
            ),
        ]
        indexes = [models.Index(name="cards_cardreveal_asked", fields=["card", "asked_at"])]

    def __str__(self) -> str:
        return f"card {self.card_id} at {self.asked_at:%Y-%m-%d %H:%M}"
