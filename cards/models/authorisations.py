"""What merchants asked cards for and told about them: chains, their messages, and what we decided of each."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cards.chain_rules import Figures
from cards.control_rules import Entry
from cards.models.cards import Card
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account, Hold, Journal

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
        )

    @property
    def began(self) -> bool:
        """Whether it counts as a use of the card already: some of it was approved, or paid without being asked."""
        return self.authorised_minor > 0 or self.captured_minor > 0

    def become(self, figures: Figures) -> None:
        """Its columns say what ``figures`` say."""
        self.asked_minor, self.cancelled_minor = figures.asked, figures.cancelled
        self.taken_minor, self.returned_minor = figures.taken, figures.returned
        self.authorised_minor, self.aside_minor = figures.authorised, figures.aside
        self.captured_minor, self.refunded_minor = figures.captured, figures.refunded
        self.over, self.lapsed, self.approved = figures.over, figures.lapsed, figures.approved
        self.state = CardAuthorisation.State(figures.stands.value)
        self.ended = not figures.outstanding and not figures.held
        self.counted_minor, self.counted = figures.counted, int(figures.counted > 0)


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

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.message_id}"

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
        """What it comes to on the card, fee and margin and all."""
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
