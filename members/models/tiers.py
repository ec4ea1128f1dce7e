"""Tiers: the levels of membership, as operators edit them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Tier(models.Model):
    """A level and what comes with it. The one of the lowest rank is everybody's who has no other."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name_en = models.CharField(_("name in English"), max_length=40)
    name_zh = models.CharField(_("name in Chinese"), max_length=40, blank=True)
    rank = models.PositiveSmallIntegerField(_("rank"), unique=True, help_text=_("higher is better"))
    threshold = models.BigIntegerField(
        _("threshold"), default=0, help_text=_("what it takes within the window, in the programme's measure")
    )

    earn_bp = models.PositiveIntegerField(
        _("earn rate, bp"),
        default=10_000,
        help_text=_("10,000 basis points earn what the rules say, 20,000 twice that"),
    )
    fee_discount_bp = models.PositiveIntegerField(_("fee discount, bp"), default=0)
    free_withdrawals = models.PositiveIntegerField(_("free withdrawals a month"), default=0)
    fx_margin_bp = models.PositiveIntegerField(_("exchange margin, bp"), default=100)
    upgrade_points = models.BigIntegerField(
        _("price in points"), null=True, blank=True, help_text=_("for going up to it; empty where it cannot be bought")
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["rank"]
        constraints = [
            models.CheckConstraint(name="members_tier_threshold", condition=Q(threshold__gte=0)),
            models.CheckConstraint(name="members_tier_earn", condition=Q(earn_bp__lte=1_000_000)),
            models.CheckConstraint(name="members_tier_fee_discount", condition=Q(fee_discount_bp__lte=10_000)),
            models.CheckConstraint(name="members_tier_fx_margin", condition=Q(fx_margin_bp__lte=10_000)),
            models.CheckConstraint(
                name="members_tier_price", condition=Q(upgrade_points=None) | Q(upgrade_points__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What it is called in the active language. Names are data: no catalogue knows them."""
        return (self.name_zh or self.name_en) if (get_language() or "").startswith("zh") else self.name_en
