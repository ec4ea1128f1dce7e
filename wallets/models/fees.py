"""What members pay for: the rules of prices, and each price taken."""

from typing import Any, Final, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from members.models import Member, Tier
from paymentsite.core import terms
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.versions import ENDS, Version, VersionQuerySet

PRICE_MAX: Final = 10**12


class Kind(models.TextChoices):
    """What a fee is for."""

    TRANSFER = "transfer", _("transfer")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    TOP_UP = "top_up", _("top-up")
    EXCHANGE = "exchange", _("exchange")


class FeeRuleQuerySet(VersionQuerySet):
    def like(self, rule: "FeeRule") -> Self:
        """Those that price the same: one of them is in force at a time."""
        return self.filter(**{name: getattr(rule, name) for name in FeeRule.KEY})


@terms.decided()
@immutable(except_columns=ENDS)
class FeeRule(Version):
    """``percent_bp`` hundredths of a percent and ``fixed``, no less than the minimum and no more than the maximum."""

    KEY: Final = ("kind", "currency", "tier_id")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    currency = models.CharField(_("currency"), max_length=3)
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tier"))
    percent_bp = models.PositiveIntegerField(_("percentage"), default=0)
    fixed_minor = models.BigIntegerField(_("fixed part"), default=0)
    minimum_minor = models.BigIntegerField(_("minimum"), default=0)
    maximum_minor = models.BigIntegerField(_("maximum"), null=True, blank=True)

    objects = FeeRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee rule")
        verbose_name_plural = _("fee rules")
        permissions = [
            ("set_fees", _("Can propose fees")),
            ("approve_fees", _("Can approve fees that others propose")),
        ]
        constraints = [
            models.CheckConstraint(name="wallets_feerule_percent", condition=Q(percent_bp__lte=10_000)),
            models.CheckConstraint(
                name="wallets_feerule_fixed", condition=Q(fixed_minor__gte=0, fixed_minor__lte=PRICE_MAX)
            ),
            models.CheckConstraint(
                name="wallets_feerule_minimum", condition=Q(minimum_minor__gte=0, minimum_minor__lte=PRICE_MAX)
            ),
            models.CheckConstraint(
                name="wallets_feerule_maximum",
                condition=Q(maximum_minor=None)
                | Q(maximum_minor__gte=F("minimum_minor"), maximum_minor__lte=PRICE_MAX),
            ),
            models.CheckConstraint(
                name="wallets_feerule_times", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))
            ),
            models.UniqueConstraint(
                "kind",
                "currency",
                Coalesce("tier_id", Value(0)),
                condition=Q(ends_at=None),
                name="wallets_feerule_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.currency} #{self.pk}"

    @property
    def price(self) -> dict[str, Any]:
        """What it asks, as it stands in approvals and on the audit trail."""
        return {
            "kind": self.kind,
            "tier": self.tier,
            "percent_bp": self.percent_bp,
            "fixed_minor": Money(self.fixed_minor, self.currency),
            "minimum_minor": Money(self.minimum_minor, self.currency),
            "maximum_minor": None if self.maximum_minor is None else Money(self.maximum_minor, self.currency),
        }


class FeeUseQuerySet(models.QuerySet["FeeUse"]):
    def free_in(self, month: str) -> Self:
        """Those that took one of a month's free ones, and keep it."""
        return self.filter(free=True, month=month, given_back_at=None)


@immutable(except_columns=["given_back_at"])
class FeeUse(models.Model):
    """A price as it was taken, with how it came about. Written once; it may be given back once."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    source = models.CharField(_("source"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    fee_minor = models.BigIntegerField(_("fee"))
    rule = models.ForeignKey(FeeRule, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("rule"))
    free = models.BooleanField(_("free of charge"))
    free_number = models.PositiveIntegerField(_("of the month's free ones"), null=True, blank=True)
    free_allowed = models.PositiveIntegerField(_("free ones a month"), null=True, blank=True)
    month = models.CharField(_("month"), max_length=7, help_text=_("on the member's calendar, such as 2026-11"))
    lines = models.JSONField[Any](_("how it came about"))
    at = models.DateTimeField(_("at"))
    given_back_at = models.DateTimeField(_("given back"), null=True, blank=True)

    objects = FeeUseQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee taken")
        verbose_name_plural = _("fees taken")
        constraints = [
            models.CheckConstraint(name="wallets_feeuse_amounts", condition=Q(amount_minor__gte=0, fee_minor__gte=0)),
            models.CheckConstraint(
                name="wallets_feeuse_free",
                condition=Q(free=False, free_number=None, free_allowed=None)
                | Q(free=True, free_number__gte=1, free_number__lte=F("free_allowed"), fee_minor=0),
            ),
            models.UniqueConstraint(
                name="wallets_feeuse_free_once",
                fields=["member", "month", "free_number"],
                condition=Q(free=True, given_back_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.fee}"

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)
