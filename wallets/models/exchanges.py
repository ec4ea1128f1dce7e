"""Exchange: rates, what was offered by them, and what was done."""

from datetime import datetime
from decimal import Decimal
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core import terms
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.ledger.models import Journal
from wallets.models.wallets import Wallet

# A rate of a cross is the product of two, exactly.
DIGITS_MAX = 80
# The source of rates that people set.
BY_HAND: Final = "staff"


class ExchangeRateQuerySet(models.QuerySet["ExchangeRate"]):
    def of(self, base: str, quote: str) -> Self:
        return self.filter(base=base, quote=quote)

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")


@terms.decided(where=Q(source=BY_HAND))
@immutable
class ExchangeRate(models.Model):
    """One ``base`` cost ``value`` of ``quote`` at a moment, says a source. A text keeps every digit on any database."""

    base = models.CharField(_("of"), max_length=3)
    quote = models.CharField(_("in"), max_length=3)
    value = models.CharField(_("rate"), max_length=40)
    source = models.CharField(_("source"), max_length=60)
    at = models.DateTimeField(_("as of"))
    recorded_at = models.DateTimeField(_("recorded"))
    actor = models.CharField(_("by"), max_length=80)

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        permissions = [
            ("propose_rate", _("Can propose exchange rates")),
            ("approve_rate", _("Can approve exchange rates")),
        ]
        constraints = [
            models.UniqueConstraint(name="wallets_exchangerate_once", fields=["base", "quote", "source", "at"]),
            models.CheckConstraint(name="wallets_exchangerate_two_units", condition=~Q(base=F("quote"))),
        ]
        indexes = [models.Index(name="wallets_exchangerate_latest", fields=["base", "quote", "-at", "-id"])]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.value}"

    @property
    def rate(self) -> Rate:
        return Rate(self.base, self.quote, Decimal(self.value), self.source, self.at)


@immutable
class ExchangeQuote(models.Model):
    """What a member was offered: the numbers that are posted if they accept it in time. Written once.

    ``rate`` is the market's; the member gets it less ``margin_bp`` ten-thousandths, and what that makes is the margin.
    """

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="exchange_quotes")
    sold_minor = models.BigIntegerField()
    sold_unit = models.CharField(max_length=3)
    fee_minor = models.BigIntegerField(default=0)
    bought_minor = models.BigIntegerField()
    bought_unit = models.CharField(max_length=3)
    margin_minor = models.BigIntegerField()
    margin_bp = models.PositiveIntegerField(_("margin, as a share"))
    rate = models.CharField(_("rate"), max_length=DIGITS_MAX)
    rate_source = models.CharField(_("source of the rate"), max_length=125)
    rate_at = models.DateTimeField(_("rate as of"))
    quoted_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("good until"))

    class Meta:
        verbose_name = _("exchange quote")
        verbose_name_plural = _("exchange quotes")
        constraints = [
            models.CheckConstraint(
                name="wallets_exchangequote_amounts",
                condition=Q(sold_minor__gt=0, bought_minor__gt=0, fee_minor__gte=0, margin_minor__gte=0),
            ),
            models.CheckConstraint(name="wallets_exchangequote_margin", condition=Q(margin_bp__lt=10_000)),
            models.CheckConstraint(name="wallets_exchangequote_two_units", condition=~Q(sold_unit=F("bought_unit"))),
            models.CheckConstraint(name="wallets_exchangequote_expires", condition=Q(expires_at__gt=F("quoted_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.sold} → {self.bought}"

    @property
    def sold(self) -> Money:
        return Money(self.sold_minor, self.sold_unit)

    @property
    def bought(self) -> Money:
        return Money(self.bought_minor, self.bought_unit)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.sold_unit)

    @property
    def total(self) -> Money:
        """What leaves the wallet."""
        return self.sold + self.fee

    @property
    def margin(self) -> Money:
        return Money(self.margin_minor, self.bought_unit)

    def open_at(self, moment: datetime) -> bool:
        return moment < self.expires_at


@immutable
class Exchange(models.Model):
    """A quote that was accepted: once, by its member, with its numbers."""

    quote = models.OneToOneField(ExchangeQuote, models.PROTECT, primary_key=True, related_name="exchange")
    member = models.ForeignKey(Member, models.PROTECT, related_name="exchanges")
    reference = models.CharField(_("reference"), max_length=100)
    sold_from = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    bought_into = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        constraints = [
            models.UniqueConstraint(name="wallets_exchange_reference", fields=["member", "reference"]),
        ]

    def __str__(self) -> str:
        return str(self.quote)
