"""Tiers and their programme: the levels of membership, as operators edit them."""

from collections.abc import Mapping
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.windows import Window
from paymentsite.core import terms


@terms.decided()
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
        _("earn rate"),
        default=10_000,
        help_text=_("a hundred percent earn what the rules say, two hundred twice that"),
    )
    fee_discount_bp = models.PositiveIntegerField(_("fee discount"), default=0)
    free_withdrawals = models.PositiveIntegerField(_("free withdrawals a month"), default=0)
    fx_margin_bp = models.PositiveIntegerField(_("exchange margin"), default=100)
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
        return named(self.names)

    @property
    def names(self) -> dict[str, str]:
        """What is stored of it where its name is to be read later, in whichever language."""
        return {"en": self.name_en, "zh": self.name_zh}


def named(names: Mapping[str, str]) -> str:
    """Of a tier's names the one in the active language."""
    chinese = (get_language() or "").startswith("zh")
    return (chinese and names["zh"]) or names["en"]


@terms.decided()
class TierProgramme(models.Model):
    """How tiers are earned and lost: one row, made when it is first changed."""

    THE_ROW: Final = 1

    class Measure(models.TextChoices):
        QUALIFYING = "qualifying", _("qualifying points")
        SPEND = "spend", _("spend")

    class StepDown(models.TextChoices):
        ONE = "one", _("one step")
        STRAIGHT = "straight", _("straight")

    measure = models.CharField(_("measure"), max_length=10, choices=Measure, default=Measure.QUALIFYING)
    currency = models.CharField(
        _("currency"), max_length=3, default="CNY", help_text=_("what is spent counts in this currency")
    )
    window = models.CharField(_("window"), max_length=10, choices=Window, default=Window.ROLLING)
    grace_days = models.PositiveSmallIntegerField(_("days of grace before going down"), default=0)
    step_down = models.CharField(_("way down"), max_length=10, choices=StepDown, default=StepDown.STRAIGHT)
    version = models.PositiveIntegerField(
        _("version"), default=0, help_text=_("counts changes of the programme and of tiers")
    )

    class Meta:
        verbose_name = _("tier programme")
        verbose_name_plural = _("tier programme")
        permissions = [
            ("propose_tiers", _("can propose changes of tiers and of their programme")),
            ("approve_tiers", _("can approve changes of tiers and of their programme")),
        ]
        constraints = [
            models.CheckConstraint(name="members_tierprogramme_one", condition=Q(id=1)),
            models.CheckConstraint(name="members_tierprogramme_grace", condition=Q(grace_days__lte=366)),
        ]

    def __str__(self) -> str:
        return f"{self.get_measure_display()}, {self.get_window_display()}"

    @property
    def unit(self) -> str:
        """In what thresholds are counted."""
        return self.currency if self.measure == self.Measure.SPEND else "QPT"

    @classmethod
    def current(cls) -> "TierProgramme":
        """The programme in force."""
        return cls.objects.filter(pk=cls.THE_ROW).first() or cls(pk=cls.THE_ROW)
