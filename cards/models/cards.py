"""Cards: numbers that we gave out, what may be done with them, and everything that was done to them."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cards.models.products import PREFIX_MAX, CardProduct, CodeKey
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import DigestField, EncryptedField
from paymentsite.ledger.models import Account, Journal
from wallets.models import Wallet
from wallets.models.transfers import REFERENCE_MAX

LABEL_MAX = 40


class CardQuerySet(models.QuerySet["Card"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def living(self) -> Self:
        """Neither closed nor expired."""
        return self.exclude(state__in=Card.ENDED)


@immutable(
    except_columns=[
        *("number", "number_digest", "state", "ended_at", "uses_left", "merchant", "label"),
        "next_fee_on",
        *("code_tries", "fixed_minor", "fixed_currency", "counted_minor", "counted"),
    ]
)
class Card(models.Model):
    """One card. Its number is never given to another one, also when it is long over: rows stay.

    What can be spent with it stands on ``account``: the wallet's, or its own.
    """

    class Use(models.TextChoices):
        MULTI = "multi", _("as often as you like")
        SINGLE = "single", _("once")
        TIMES = "times", _("so many times")
        MERCHANT = "merchant", _("at one merchant")
        CATEGORY = "category", _("for one kind of merchants")
        SUBSCRIPTION = "subscription", _("for one subscription")

    class State(models.TextChoices):
        INACTIVE = "inactive", _("not active yet")
        ACTIVE = "active", _("active")
        FROZEN = "frozen", _("frozen by its member")
        BLOCKED = "blocked", _("blocked by us")
        CLOSED = "closed", _("closed")
        EXPIRED = "expired", _("expired")

    class Every(models.TextChoices):
        """How often a subscription is paid."""

        WEEK = "week", _("every week")
        MONTH = "month", _("every month")
        YEAR = "year", _("every year")

    ENDED = (State.CLOSED, State.EXPIRED)

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="cards")
    product = models.ForeignKey(CardProduct, models.PROTECT, related_name="cards", verbose_name=_("product"))
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="cards", verbose_name=_("wallet"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    number = EncryptedField("card.number", bound_to=("public_id",))
    number_digest = DigestField("card.number", of="number", unique=True)
    prefix = models.CharField(_("beginning"), max_length=PREFIX_MAX)
    last_four = models.CharField(_("last four"), max_length=4)
    code_key = models.ForeignKey(CodeKey, models.PROTECT, related_name="cards", editable=False)
    expires_on = models.DateField(_("last day"))
    use = models.CharField(_("can be used"), max_length=12, choices=Use, default=Use.MULTI)
    uses_max = models.PositiveIntegerField(_("so many times"), null=True, blank=True)
    uses_left = models.PositiveIntegerField(_("times left"), null=True, blank=True)
    category = models.CharField(_("for merchants of the kind"), max_length=4, blank=True)
    merchant = models.CharField(_("for the merchant"), max_length=40, blank=True)
    every = models.CharField(_("how often it is paid"), max_length=5, choices=Every, blank=True)
    fixed_minor = models.BigIntegerField(_("for at most"), null=True, blank=True)
    fixed_currency = models.CharField(_("currency of that"), max_length=3, blank=True)
    label = models.CharField(_("label"), max_length=LABEL_MAX, blank=True)
    code_tries = models.PositiveSmallIntegerField(_("wrong codes in a row"), default=0)
    counted_minor = models.BigIntegerField(_("spent in all"), default=0)
    counted = models.PositiveIntegerField(_("used so often"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.INACTIVE)
    next_fee_on = models.DateField(_("next monthly fee"), null=True, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    issued_at = models.DateTimeField(_("issued"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        permissions = [
            ("block_card", _("Can block cards")),
            ("unblock_card", _("Can unblock cards")),
            ("close_card", _("Can close cards")),
            ("propose_write_off", _("Can propose to write off what members owe because of cards")),
            ("approve_write_off", _("Can approve to write off what members owe because of cards")),
        ]
        constraints = [
            models.UniqueConstraint(name="cards_card_once", fields=["member", "reference"]),
            models.CheckConstraint(
                name="cards_card_ended",
                condition=Q(state__in=["closed", "expired"], ended_at__isnull=False)
                | ~Q(state__in=["closed", "expired"]) & Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="cards_card_uses",
                condition=Q(use__in=["single", "times"], uses_left__lte=F("uses_max"))
                | ~Q(use__in=["single", "times"]) & Q(uses_max=None, uses_left=None),
            ),
            models.CheckConstraint(
                name="cards_card_category",
                condition=Q(use="category") & ~Q(category="") | ~Q(use="category") & Q(category=""),
            ),
            models.CheckConstraint(
                name="cards_card_subscription",
                condition=Q(use="subscription", every__in=["week", "month", "year"])
                | ~Q(use="subscription") & Q(every="", fixed_minor=None),
            ),
            models.CheckConstraint(
                name="cards_card_fixed",
                condition=Q(fixed_minor=None, fixed_currency="") | Q(fixed_minor__gt=0) & ~Q(fixed_currency=""),
            ),
            models.CheckConstraint(
                name="cards_card_merchant",
                condition=Q(merchant="") | Q(use__in=["merchant", "subscription"]),
            ),
        ]
        indexes = [
            models.Index(
                name="cards_card_expiry", fields=["expires_on"], condition=~Q(state__in=["closed", "expired"])
            ),
            models.Index(name="cards_card_fee", fields=["next_fee_on"], condition=~Q(state__in=["closed", "expired"])),
        ]

    def __str__(self) -> str:
        return f"···· {self.last_four}"

    @property
    def source(self) -> str:
        """How journals and instruments name it."""
        return f"card:{self.public_id}"

    @property
    def fixed(self) -> Money | None:
        """What its subscription costs at most, at the merchant; None before it was paid for the first time."""
        return None if self.fixed_minor is None else Money(self.fixed_minor, self.fixed_currency)

    @property
    def prepaid(self) -> bool:
        return self.account_id != self.wallet.account_id

    @property
    def ended(self) -> bool:
        return self.state in Card.ENDED

    def expired(self, today: date) -> bool:
        return self.expires_on < today


@immutable
class CardEvent(models.Model):
    """Something that was done to a card: who, when, by which way, why."""

    class Channel(models.TextChoices):
        WEB = "web", _("the portal")
        ADMIN = "admin", _("the back office")
        API = "api", _("a partner")
        JOB = "job", _("by itself")

    card = models.ForeignKey(Card, models.PROTECT, related_name="events")
    before = models.CharField(_("before"), max_length=8, choices=Card.State, blank=True)
    after = models.CharField(_("after"), max_length=8, choices=Card.State)
    channel = models.CharField(_("by way of"), max_length=5, choices=Channel)
    actor = models.CharField(_("by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event of a card")
        verbose_name_plural = _("events of cards")

    def __str__(self) -> str:
        return f"{self.get_after_display()} {self.at:%Y-%m-%d}"


@immutable
class CardLoad(models.Model):
    """What was put onto a prepaid card, or came off it again."""

    class Way(models.TextChoices):
        ON = "on", _("onto the card")
        OFF = "off", _("off the card")
        END = "end", _("off a card that is over")

    public_id = models.UUIDField(unique=True, editable=False)
    card = models.ForeignKey(Card, models.PROTECT, related_name="loads", verbose_name=_("card"))
    way = models.CharField(_("way"), max_length=3, choices=Way)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    # Their member's; what nobody asked for has none.
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX, blank=True)
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("load of a card")
        verbose_name_plural = _("loads of cards")
        constraints = [
            models.UniqueConstraint(name="cards_cardload_once", fields=["card", "reference"], condition=~Q(way="end")),
            models.CheckConstraint(name="cards_cardload_amount", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.get_way_display()}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def source(self) -> str:
        """How its journal names it."""
        return f"card_load:{self.public_id}"
