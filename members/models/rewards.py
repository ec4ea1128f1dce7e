"""The rewards catalogue: what points buy, who took what, and the coupons that were given for it."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from members.models.tiers import Tier
from paymentsite.core import terms
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import DigestField, EncryptedField
from paymentsite.ledger.models import Journal


class RewardQuerySet(models.QuerySet["Reward"]):
    def offered(self, now: datetime) -> Self:
        """On offer at ``now``, whether or not any are left."""
        begun = Q(from_at=None) | Q(from_at__lte=now)
        return self.filter(begun, Q(until_at=None) | Q(until_at__gt=now), withdrawn_at=None)


@terms.decided(except_columns=["stock_left"])
@immutable(except_columns={"stock", "stock_left", "withdrawn_at"})
class Reward(models.Model):
    """Something that points buy, on terms that stay: for other terms it is withdrawn and another one offered.

    ``stock`` is how many there ever were, ``stock_left`` how many nobody has; both are empty where it cannot run out.
    """

    class Kind(models.TextChoices):
        COUPON = "coupon", _("coupon")
        GOODS = "goods", _("goods")
        WALLET_CREDIT = "wallet_credit", _("money in a wallet")

    public_id = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    name_en = models.CharField(_("name in English"), max_length=80)
    name_zh = models.CharField(_("name in Chinese"), max_length=80, blank=True)
    description_en = models.TextField(_("description in English"), max_length=1_000, blank=True)
    description_zh = models.TextField(_("description in Chinese"), max_length=1_000, blank=True)
    points = models.BigIntegerField(_("price in points"))
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True)
    stock_left = models.PositiveIntegerField(_("left"), null=True, blank=True)
    tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from this tier on")
    )
    from_at = models.DateTimeField(_("from"), null=True, blank=True)
    until_at = models.DateTimeField(_("until"), null=True, blank=True)
    credit_minor = models.BigIntegerField(_("value"), null=True, blank=True, help_text=_("in the smallest parts"))
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    discount_bp = models.PositiveIntegerField(_("discount"), null=True, blank=True)
    coupon_days = models.PositiveSmallIntegerField(_("days that a coupon lasts"), null=True, blank=True)
    offered_at = models.DateTimeField(_("offered"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = RewardQuerySet.as_manager()

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        permissions = [
            ("propose_rewards", _("can propose to offer rewards, and withdraw them")),
            ("approve_rewards", _("can approve that rewards are offered")),
        ]
        constraints = [
            models.CheckConstraint(name="members_reward_price", condition=Q(points__gt=0)),
            models.CheckConstraint(
                name="members_reward_stock",
                condition=Q(stock=None, stock_left=None)
                | Q(stock__isnull=False, stock_left__isnull=False, stock_left__gte=0, stock_left__lte=F("stock")),
            ),
            models.CheckConstraint(name="members_reward_value", condition=Q(credit_minor=None) | Q(credit_minor__gt=0)),
            models.CheckConstraint(
                name="members_reward_currency",
                condition=Q(credit_minor=None, currency="") | Q(credit_minor__isnull=False) & ~Q(currency=""),
            ),
            models.CheckConstraint(
                name="members_reward_discount",
                condition=Q(discount_bp=None) | Q(discount_bp__gt=0, discount_bp__lte=10_000),
            ),
            # A coupon is worth an amount or a share, lasting so many days; credit an amount; goods are what they are.
            models.CheckConstraint(
                name="members_reward_terms",
                condition=Q(kind="goods", credit_minor=None, discount_bp=None, coupon_days=None)
                | Q(kind="wallet_credit", credit_minor__isnull=False, discount_bp=None, coupon_days=None)
                | Q(kind="coupon", credit_minor__isnull=False, discount_bp=None, coupon_days__gt=0)
                | Q(kind="coupon", credit_minor=None, discount_bp__isnull=False, coupon_days__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self._worded("name")

    @property
    def description(self) -> str:
        return self._worded("description")

    @property
    def price(self) -> Money:
        return Money(self.points, "PTS")

    @property
    def credit(self) -> Money | None:
        """What it is worth, where that is an amount."""
        return None if self.credit_minor is None else Money(self.credit_minor, self.currency)

    def _worded(self, field: str) -> str:
        english: str = getattr(self, f"{field}_en")
        return (getattr(self, f"{field}_zh") or english) if (get_language() or "").startswith("zh") else english


@immutable(except_columns={"state", "cancelled_at", "cancelled_by", "cancel_reason", "cancel_journal_id"})
class Redemption(models.Model):
    """A member took a reward for points; cancelled, both are as before."""

    class State(models.TextChoices):
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="redemptions")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="redemptions")
    reference = models.CharField(_("reference"), max_length=100)
    points = models.BigIntegerField(_("points"))
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DONE)
    at = models.DateTimeField(_("at"))
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=80, blank=True)
    cancel_reason = models.CharField(_("reason"), max_length=255, blank=True)
    cancel_journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        permissions = [("cancel_redemption", _("can cancel redemptions"))]
        constraints = [
            models.UniqueConstraint(name="members_redemption_once", fields=["member", "reference"]),
            models.CheckConstraint(name="members_redemption_points", condition=Q(points__gt=0)),
            models.CheckConstraint(
                name="members_redemption_cancelled",
                condition=Q(state="done", cancelled_at=None, cancel_journal=None, cancelled_by="")
                | Q(state="cancelled", cancelled_at__isnull=False, cancel_journal__isnull=False) & ~Q(cancelled_by=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CouponQuerySet(models.QuerySet["Coupon"]):
    def usable(self, now: datetime) -> Self:
        return self.filter(state=Coupon.State.OPEN, expires_at__gt=now)

    def due(self, now: datetime) -> Self:
        return self.filter(state=Coupon.State.OPEN, expires_at__lte=now)


@immutable(except_columns={"state", "used_at", "used_by", "used_for", "ended_at", "code", "code_digest"})
class Coupon(models.Model):
    """A code that is worth something once. Whoever shows it uses it. Looked up by its digest, shown to its owner."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        USED = "used", _("used")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.UUIDField(unique=True, editable=False)
    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="coupon")
    code = EncryptedField("coupon.code", bound_to=("public_id",))
    code_digest = DigestField("coupon.code", of="code", unique=True)
    value_minor = models.BigIntegerField(_("value"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    discount_bp = models.PositiveIntegerField(_("discount"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.CharField(_("used by"), max_length=80, blank=True)
    used_for = models.CharField(_("used for"), max_length=80, blank=True)
    ended_at = models.DateTimeField(_("expired or cancelled"), null=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(
                name="members_coupon_used",
                condition=Q(state="used", used_at__isnull=False) & ~Q(used_by="") & ~Q(used_for="")
                | ~Q(state="used") & Q(used_at=None, used_by="", used_for=""),
            ),
            models.CheckConstraint(
                name="members_coupon_ended",
                condition=Q(state__in=["expired", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["open", "used"], ended_at=None),
            ),
            models.CheckConstraint(
                name="members_coupon_terms",
                condition=Q(value_minor__gt=0, discount_bp=None) & ~Q(currency="")
                | Q(value_minor=None, currency="", discount_bp__gt=0, discount_bp__lte=10_000),
            ),
        ]
        indexes = [models.Index(name="members_coupon_open", fields=["expires_at"], condition=Q(state="open"))]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def value(self) -> Money | None:
        """What it is worth, where that is an amount; else ``discount_bp`` says which share."""
        return None if self.value_minor is None else Money(self.value_minor, self.currency)
