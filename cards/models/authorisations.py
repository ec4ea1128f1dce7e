"""Uses of cards: what merchants asked for and told about the same, summed."""

from dataclasses import replace
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cards import merchant_kinds
from cards.chain_rules import Figures
from cards.control_rules import Entry
from cards.models.cards import Card
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account, Hold

PROCESSOR_MAX = 40
REFERENCE_MAX = 64


class CardAuthorisationQuerySet(models.QuerySet["CardAuthorisation"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def due(self, now: Any) -> Self:
        """Open for longer than merchants of their kind may take."""
        return self.filter(ended=False, expires_at__lte=now)


@immutable(
    except_columns=[
        *("hold_id", "at", "expires_at", "merchant_currency"),
        *("asked_minor", "cancelled_minor", "taken_minor", "returned_minor"),
        *("authorised_minor", "aside_minor", "captured_minor", "refunded_minor"),
        *("over", "lapsed", "approved", "ended", "state", "counted_minor", "counted"),
    ]
)
class CardAuthorisation(models.Model):
    """One use of a card, from the question to the last refund: all messages with the same reference of the network.

    Its sums, and how it stands, follow from its messages; see ``cards.chain_rules``.
    """

    class State(models.TextChoices):
        DECLINED = "declined", _("declined")
        CHECKED = "checked", _("card looked at")
        OPEN = "open", _("approved")
        PART_CAPTURED = "part_captured", _("partly paid")
        CAPTURED = "captured", _("paid")
        REVERSED = "reversed", _("cancelled")
        EXPIRED = "expired", _("expired")
        PART_REFUNDED = "part_refunded", _("partly refunded")
        REFUNDED = "refunded", _("refunded")
        CREDITED = "credited", _("credited")

    id = models.UUIDField(primary_key=True, editable=False)
    card = models.ForeignKey(Card, models.PROTECT, related_name="authorisations", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="card_authorisations", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    processor = models.CharField(_("processor"), max_length=PROCESSOR_MAX)
    reference = models.CharField(_("reference of the network"), max_length=REFERENCE_MAX)
    merchant = models.CharField(_("id of the merchant"), max_length=40)
    merchant_name = models.CharField(_("merchant"), max_length=80)
    category = models.CharField(_("kind of merchant"), max_length=4)
    country = models.CharField(_("country"), max_length=2)
    city = models.CharField(_("city"), max_length=60, blank=True)
    entry = models.CharField(_("way of use"), max_length=11, choices=Entry)
    currency = models.CharField(_("currency"), max_length=3)
    hold = models.ForeignKey(Hold, models.PROTECT, null=True, related_name="+", db_index=False)
    expires_at = models.DateTimeField(_("expires"), null=True)
    merchant_currency = models.CharField(_("currency at the merchant"), max_length=3, blank=True)
    asked_minor = models.BigIntegerField(_("approved at the merchant"), default=0)
    cancelled_minor = models.BigIntegerField(_("cancelled at the merchant"), default=0)
    taken_minor = models.BigIntegerField(_("paid at the merchant"), default=0)
    returned_minor = models.BigIntegerField(_("refunded at the merchant"), default=0)
    authorised_minor = models.BigIntegerField(_("approved"), default=0)
    aside_minor = models.BigIntegerField(_("to be set aside"), default=0)
    captured_minor = models.BigIntegerField(_("paid"), default=0)
    refunded_minor = models.BigIntegerField(_("refunded"), default=0)
    over = models.BooleanField(_("nothing more is to come"), default=False)
    lapsed = models.BooleanField(_("its time is over"), default=False)
    approved = models.BooleanField(_("something was approved"), default=False)
    ended = models.BooleanField(_("nothing is outstanding"), default=False)
    state = models.CharField(_("state"), max_length=13, choices=State)
    counted_minor = models.BigIntegerField(_("counts against limits"), default=0)
    counted = models.PositiveSmallIntegerField(_("counts as so many uses"), default=0)
    at = models.DateTimeField(_("at"))

    objects = CardAuthorisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("use of a card")
        verbose_name_plural = _("uses of cards")
        constraints = [
            models.UniqueConstraint(name="cards_authorisation_once", fields=["processor", "reference"]),
            models.CheckConstraint(
                name="cards_authorisation_sums",
                condition=Q(
                    authorised_minor__gte=0,
                    aside_minor__gte=F("authorised_minor"),
                    asked_minor__gte=0,
                    cancelled_minor__gte=0,
                    taken_minor__gte=0,
                    captured_minor__gte=0,
                    counted_minor__gte=F("captured_minor"),
                ),
            ),
        ]
        indexes = [
            models.Index(name="cards_authorisation_card", fields=["card", "at"]),
            models.Index(name="cards_authorisation_member", fields=["member", "at"]),
            models.Index(name="cards_authorisation_due", fields=["expires_at"], condition=Q(ended=False)),
        ]

    def __str__(self) -> str:
        amount = self.captured_minor or self.authorised_minor
        return f"{self.merchant_name} {Money(amount, self.currency)}" if amount else self.merchant_name

    @property
    def authorised(self) -> Money:
        return Money(self.authorised_minor, self.currency)

    @property
    def source(self) -> str:
        """How journals name it."""
        return f"card_use:{self.pk}"

    @property
    def figures(self) -> Figures:
        return Figures(
            asked=self.asked_minor,
            cancelled=self.cancelled_minor,
            taken=self.taken_minor,
            returned=self.returned_minor,
            authorised=self.authorised_minor,
            aside=self.aside_minor,
            captured=self.captured_minor,
            refunded=self.refunded_minor,
            over=self.over,
            lapsed=self.lapsed,
            approved=self.approved,
            open_ended=self._open_ended,
        )

    @property
    def _open_ended(self) -> bool:
        return merchant_kinds.custom(self.category).open_ended

    @property
    def began(self) -> bool:
        """Whether it counts as a use of the card already: some of it was approved, or paid without being asked."""
        return self.authorised_minor > 0 or self.captured_minor > 0

    def become(self, figures: Figures) -> None:
        """Its columns say what ``figures`` say."""
        figures = replace(figures, open_ended=self._open_ended)
        self.asked_minor, self.cancelled_minor = figures.asked, figures.cancelled
        self.taken_minor, self.returned_minor = figures.taken, figures.returned
        self.authorised_minor, self.aside_minor = figures.authorised, figures.aside
        self.captured_minor, self.refunded_minor = figures.captured, figures.refunded
        self.over, self.lapsed, self.approved = figures.over, figures.lapsed, figures.approved
        self.state = CardAuthorisation.State(figures.stands.value)
        self.ended = not figures.outstanding and not figures.held
        self.counted_minor, self.counted = figures.counted, int(figures.counted > 0)
