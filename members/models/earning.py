"""Earn rules: what members get points for, how many, from when until when."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from paymentsite.core import terms
from paymentsite.core.immutability import immutable


@terms.decided(except_columns=["used"])
class EarnBudget(models.Model):
    """How many points a campaign may give, and how many it has: the one row that its earnings queue for.

    It outlives the versions of its rule. The constraint makes it impossible, rather than forbidden, to give more.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    total = models.BigIntegerField(_("points it may give"))
    used = models.BigIntegerField(_("points given"), default=0, help_text=_("less what was taken back"))

    class Meta:
        verbose_name = _("campaign budget")
        verbose_name_plural = _("campaign budgets")
        constraints = [
            models.CheckConstraint(name="members_earn_budget_kept", condition=Q(used__gte=0, used__lte=F("total"))),
        ]

    def __str__(self) -> str:
        return gettext("%(code)s: %(used)s of %(total)s") % {"code": self.code, "used": self.used, "total": self.total}

    @property
    def left(self) -> int:
        return self.total - self.used


class EarnRuleQuerySet(models.QuerySet["EarnRule"]):
    def at(self, moment: datetime) -> Self:
        """Those by which was earned what was earned at ``moment``."""
        return self.filter(
            Q(superseded_at=None) | Q(superseded_at__gt=moment),
            Q(ends_at=None) | Q(ends_at__gt=moment),
            starts_at__lte=moment,
        )


@terms.decided()
@immutable(except_columns={"superseded_at"})
class EarnRule(models.Model):
    """One version of a rule. A change is a new version, from which moment on the old one is superseded."""

    class Kind(models.TextChoices):
        AMOUNT = "amount", _("for each amount paid")
        FIRST_PURCHASE = "first_purchase", _("for the first purchase")
        BIRTHDAY = "birthday", _("for a purchase on one's birthday")
        REFERRAL = "referral", _("for bringing a member, who has bought for good")

    class Scope(models.TextChoices):
        ANY = "any", _("any purchase")
        MERCHANT = "merchant", _("one merchant")
        CATEGORY = "category", _("one category")

    class Pending(models.TextChoices):
        NONE = "none", _("not at all")
        DAYS = "days", _("for some days")
        FINAL = "final", _("until the payment is final")

    class Expiry(models.TextChoices):
        MONTHS = "months", _("at the end of a month, some months later")
        NEXT_YEAR = "next_year", _("at the end of the next year")
        NEVER = "never", _("never")

    class TakeBack(models.TextChoices):
        PENDING = "pending", _("only while they are pending")
        ZERO = "zero", _("down to zero")
        DEBT = "debt", _("into a debt")

    code = models.SlugField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    name_en = models.CharField(_("name in English"), max_length=60)
    name_zh = models.CharField(_("name in Chinese"), max_length=60, blank=True)
    kind = models.CharField(_("earned"), max_length=20, choices=Kind)

    points = models.BigIntegerField(_("points"), help_text=_("for each such amount, or in all"))
    per_minor = models.BigIntegerField(
        _("for each"),
        null=True,
        blank=True,
        help_text=_("in the currency's smallest part; what is left over earns nothing"),
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    least_minor = models.BigIntegerField(
        pgettext_lazy("the least amount", "from"), default=0, help_text=_("a smaller payment earns nothing")
    )
    scope = models.CharField(pgettext_lazy("which purchases", "of"), max_length=10, choices=Scope, default=Scope.ANY)
    scope_key = models.CharField(_("which one"), max_length=80, blank=True)
    by_tier = models.BooleanField(_("times the tier's rate"), default=False)
    stacks = models.BooleanField(
        _("on top"), default=False, help_text=_("of those that are not, the one that gives the most counts alone")
    )
    qualifies = models.BooleanField(_("counts towards a tier"), default=False)

    pending = models.CharField(_("pending"), max_length=10, choices=Pending, default=Pending.NONE)
    pending_days = models.PositiveSmallIntegerField(_("days pending"), default=0)
    expiry = models.CharField(_("expires"), max_length=10, choices=Expiry, default=Expiry.NEVER)
    expiry_months = models.PositiveSmallIntegerField(_("months"), default=0)
    take_back = models.CharField(_("taken back"), max_length=10, choices=TakeBack, default=TakeBack.ZERO)

    budget = models.ForeignKey(EarnBudget, models.PROTECT, null=True, blank=True, verbose_name=_("budget"))
    starts_at = models.DateTimeField(_("in force from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)

    objects = EarnRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("earn rule")
        verbose_name_plural = _("earn rules")
        ordering = ["code", "version"]
        permissions = [
            ("propose_earn_rules", _("can propose earn rules, budgets and the value of a point")),
            ("approve_earn_rules", _("can approve earn rules, budgets and the value of a point")),
        ]
        constraints = [
            models.UniqueConstraint(name="members_earn_rule_version", fields=["code", "version"]),
            models.UniqueConstraint(
                name="members_earn_rule_latest", fields=["code"], condition=Q(superseded_at__isnull=True)
            ),
            models.CheckConstraint(
                name="members_earn_rule_points", condition=Q(points__gt=0, points__lte=10**9, least_minor__gte=0)
            ),
            models.CheckConstraint(
                name="members_earn_rule_amount",
                condition=Q(kind="amount", per_minor__isnull=False, per_minor__gt=0) & ~Q(currency="")
                | ~Q(kind="amount") & Q(per_minor__isnull=True),
            ),
            models.CheckConstraint(
                name="members_earn_rule_least_of_what", condition=Q(least_minor=0) | ~Q(currency="")
            ),
            models.CheckConstraint(
                name="members_earn_rule_scope",
                condition=Q(scope="any", scope_key="") | ~Q(scope="any") & ~Q(scope_key=""),
            ),
            models.CheckConstraint(
                name="members_earn_rule_pending",
                condition=Q(pending="days", pending_days__gt=0) | ~Q(pending="days") & Q(pending_days=0),
            ),
            models.CheckConstraint(
                name="members_earn_rule_expiry",
                condition=Q(expiry="months", expiry_months__gt=0, expiry_months__lte=600)
                | ~Q(expiry="months") & Q(expiry_months=0),
            ),
            models.CheckConstraint(
                name="members_earn_rule_time", condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at"))
            ),
            # Bought and refunded they would be minted. A version that is over stays as it was, and gives nothing more.
            models.CheckConstraint(
                name="members_earn_rule_take_back",
                condition=~Q(take_back="pending", pending="none") | Q(superseded_at__isnull=False),
            ),
            # A member is brought, not bought from: there is no payment that could be final, a place or a category.
            models.CheckConstraint(
                name="members_earn_rule_referral",
                condition=~Q(kind="referral") | Q(scope="any", currency="", qualifies=False) & ~Q(pending="final"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"

    @property
    def name(self) -> str:
        """What it is called in the active language. Names are data: no catalogue knows them."""
        return (self.name_zh or self.name_en) if (get_language() or "").startswith("zh") else self.name_en
