"""What was told about uses of cards, message by message, and how each question was decided."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cards.models.authorisations import PROCESSOR_MAX, REFERENCE_MAX, CardAuthorisation
from cards.models.cards import Card
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal


class Kind(models.TextChoices):
    """What a message is."""

    AUTHORISATION = "authorisation", _("question")
    INCREMENT = "increment", _("question for more")
    ADVICE = "advice", _("approved elsewhere")
    REFUSAL = "refusal", _("declined elsewhere")
    REVERSAL = "reversal", _("cancelled")
    CAPTURE = "capture", _("paid")
    REFUND = "refund", _("refunded")
    REFUND_REVERSAL = "refund_reversal", _("refund taken back")
    EXPIRY = "expiry", _("expired")


class Outcome(models.TextChoices):
    APPROVED = "approved", _("approved")
    PARTIAL = "partial", _("approved in part")
    DECLINED = "declined", _("declined")
    TOLD = "told", _("taken note of")


class Code(models.TextChoices):
    """Why it was decided so."""

    APPROVED = "approved", _("nothing is against it")
    NO_SUCH_CARD = "no_such_card", _("there is no such card")
    CARD_INACTIVE = "card_inactive", _("the card is not active yet")
    CARD_FROZEN = "card_frozen", _("its member froze the card")
    CARD_BLOCKED = "card_blocked", _("we blocked the card")
    CARD_CLOSED = "card_closed", _("the card is closed")
    CARD_EXPIRED = "card_expired", _("the card has expired")
    MEMBER_SUSPENDED = "member_suspended", _("its member is suspended")
    WALLET_UNUSABLE = "wallet_unusable", _("nothing may leave the wallet or the account")
    WRONG_EXPIRY = "wrong_expiry", _("another expiry date was given")
    CODE_MISSING = "code_missing", _("no security code was given")
    WRONG_CODE = "wrong_code", _("another security code was given")
    PIN_MISSING = "pin_missing", _("no PIN was given")
    PIN_UNSET = "pin_unset", _("the card has no PIN yet")
    WRONG_PIN = "wrong_pin", _("another PIN was given")
    PIN_LOCKED = "pin_locked", _("the PIN was guessed at too often")
    USED_UP = "used_up", _("the card was used as often as it may be")
    OTHER_MERCHANT = "other_merchant", _("the card is for another merchant")
    OTHER_CATEGORY = "other_category", _("the card is for another kind of merchants")
    OTHER_AMOUNT = "other_amount", _("the subscription is for less")
    ALREADY_PAID = "already_paid", _("the subscription is paid already")
    CONTROL = "control", _("a control of the card is against it")
    CARD_LIMIT = "card_limit", _("a limit of the card is against it")
    MEMBER_LIMIT = "member_limit", _("a limit of the member is against it")
    NO_RATE = "no_rate", _("there is no exchange rate")
    INSUFFICIENT_FUNDS = "insufficient_funds", _("there is too little on it")
    CANCELLED_BEFORE = "cancelled_before", _("it was cancelled before it was asked")


@immutable
class CardMessage(models.Model):
    """One message about a use of a card, as it was taken in: once per processor and its id."""

    id = models.UUIDField(primary_key=True, editable=False)
    use = models.ForeignKey(
        CardAuthorisation, models.PROTECT, null=True, related_name="messages", verbose_name=_("use of a card")
    )
    processor = models.CharField(_("processor"), max_length=PROCESSOR_MAX)
    message_id = models.CharField(_("id of the message"), max_length=REFERENCE_MAX)
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    reference = models.CharField(
        _("reference of the network"), max_length=REFERENCE_MAX, blank=True, help_text=_("where no use has it")
    )
    card = models.ForeignKey(
        Card,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("card"),
        help_text=_("on which nobody can say how much it is"),
    )
    digest = models.CharField(max_length=64, editable=False)
    merchant_minor = models.BigIntegerField(_("amount at the merchant"), null=True)
    merchant_currency = models.CharField(_("currency at the merchant"), max_length=3, blank=True)
    there_minor = models.BigIntegerField(_("counts at the merchant"), default=0)
    settlement_minor = models.BigIntegerField(_("amount settled"), null=True)
    settlement_currency = models.CharField(_("currency settled"), max_length=3, blank=True)
    rate = models.CharField(_("rate"), max_length=60, blank=True)
    margin_minor = models.BigIntegerField(_("margin"), default=0)
    fee_minor = models.BigIntegerField(_("fee"), default=0)
    card_minor = models.BigIntegerField(_("amount of the card"), null=True)
    approved_minor = models.BigIntegerField(_("approved"), default=0)
    aside_minor = models.BigIntegerField(_("to be set aside"), default=0)
    debt_minor = models.BigIntegerField(_("became a debt"), default=0)
    final = models.BooleanField(_("the last one"), default=False)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    code = models.CharField(_("why"), max_length=20, choices=Code, blank=True)
    journal = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+")
    told_at = models.DateTimeField(_("told as of"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message about a use of a card")
        verbose_name_plural = _("messages about uses of cards")
        permissions = [
            ("propose_refund_place", _("Can propose where a refund that is set aside goes")),
            ("approve_refund_place", _("Can approve where a refund that is set aside goes")),
        ]
        constraints = [
            models.UniqueConstraint(name="cards_message_once", fields=["processor", "message_id"]),
        ]
        indexes = [models.Index(name="cards_message_stray", fields=["card"], condition=Q(card__isnull=False))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.message_id}"

    @property
    def whose(self) -> Member | None:
        """Whose card it is about, as far as that is known."""
        if self.use is not None:
            return self.use.member
        return self.card.member if self.card is not None else None

    @property
    def approved_at_merchant(self) -> Money | None:
        """What was approved, in the merchant's currency: where it was a part, as large a part."""
        if self.merchant_minor is None or self.outcome not in {Outcome.APPROVED, Outcome.PARTIAL}:
            return None
        if self.outcome == Outcome.APPROVED or not self.card_minor:
            return Money(self.merchant_minor, self.merchant_currency)
        return Money(self.merchant_minor * self.approved_minor // self.card_minor, self.merchant_currency)

    @property
    def amount(self) -> Money | None:
        """What it comes to on the card, fee and margin and all; where nobody can say, what was settled."""
        if self.use is None and self.settlement_minor is not None:
            return Money(self.settlement_minor, self.settlement_currency)
        if self.card_minor is None or self.use is None:
            return None
        return Money(self.card_minor, self.use.currency)


@immutable
class DecisionReceipt(models.Model):
    """How a question was decided: each check with its result, limits before and after, what was seen of the books.

    Its id is what members, partners and we call the decision by.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    message = models.OneToOneField(CardMessage, models.PROTECT, related_name="receipt")
    card = models.ForeignKey(Card, models.PROTECT, null=True, related_name="receipts", verbose_name=_("card"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    code = models.CharField(_("why"), max_length=20, choices=Code)
    checks = models.JSONField[Any](_("checks"))
    limits = models.JSONField[Any](_("limits"))
    seen = models.JSONField[Any](_("seen of the books"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("receipt of a decision")
        verbose_name_plural = _("receipts of decisions")

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.get_code_display()}"
