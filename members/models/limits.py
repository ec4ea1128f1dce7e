"""Limits on what members move and hold, and what each act took of them."""

from datetime import datetime
from typing import Any, Final, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from members.models.tiers import Tier
from members.periods import Period
from paymentsite.core import terms
from paymentsite.core.errors import listed
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.versions import ENDS, Version, VersionQuerySet

CAP_MAX: Final = 10**15


class Kind(models.TextChoices):
    """What an act is, for limits."""

    TOP_UP = "top_up", _("top-up")
    TRANSFER = "transfer", _("transfer")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    PAYMENT = "payment", _("payment")
    CARD = "card", _("card")


class LimitQuerySet(VersionQuerySet):
    def like(self, limit: "Limit") -> Self:
        """Those that say the same thing of the same members: one of them is in force at a time."""
        return self.filter(**{name: getattr(limit, name) for name in Limit.KEY})

    def covering(self, *, member: int, tier: int, level: int) -> Self:
        """Those that may apply to such a member; the most specific of each sort does."""
        whom = Q(member=member) | Q(tier=tier) | Q(level=level) | Q(member=None, tier=None, level=None)
        return self.filter(whom)


@terms.decided()
@immutable(except_columns=ENDS)
class Limit(Version):
    """At most ``cap`` of something, for one member, a tier, an identity level, or everybody."""

    class Measure(models.TextChoices):
        AMOUNT = "amount", _("amount")
        COUNT = "count", _("number of times")
        BALANCE = "balance", _("balance")

    ANY: Final = "any"
    KEY: Final = ("member_id", "tier_id", "level", "kind", "currency", "measure", "period")

    member = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="limits")
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tier"))
    level = models.PositiveSmallIntegerField(_("identity level"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=[*Kind.choices, (ANY, _("all together"))])
    currency = models.CharField(_("currency"), max_length=3)
    measure = models.CharField(_("measure"), max_length=7, choices=Measure)
    period = models.CharField(_("period"), max_length=6, choices=Period)
    cap = models.BigIntegerField(_("cap"), help_text=_("in the currency's smallest parts, or how many times"))

    objects = LimitQuerySet.as_manager()

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        permissions = [
            ("set_limits", _("Can propose limits and lower them")),
            ("approve_limits", _("Can approve limits that others propose")),
        ]
        constraints = [
            models.CheckConstraint(name="members_limit_cap", condition=Q(cap__gte=0, cap__lte=CAP_MAX)),
            models.CheckConstraint(
                name="members_limit_times", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))
            ),
            models.CheckConstraint(name="members_limit_level", condition=Q(level=None) | Q(level__lte=3)),
            models.CheckConstraint(
                name="members_limit_one_whom",
                condition=Q(member=None, tier=None) | Q(member=None, level=None) | Q(tier=None, level=None),
            ),
            models.CheckConstraint(
                name="members_limit_balance",
                condition=Q(measure="balance", period="always", kind="any")
                | (~Q(measure="balance") & ~Q(period="always")),
            ),
            models.CheckConstraint(
                name="members_limit_count_over_time", condition=~Q(measure="count") | ~Q(period="act")
            ),
            models.UniqueConstraint(
                Coalesce("member_id", Value(0)),
                Coalesce("tier_id", Value(0)),
                Coalesce("level", Value(-1)),
                "kind",
                "currency",
                "measure",
                "period",
                condition=Q(ends_at=None),
                name="members_limit_one_open",
            ),
        ]
        indexes = [models.Index(name="members_limit_currency", fields=["currency", "starts_at"])]

    def __str__(self) -> str:
        return gettext("%(limit)s: %(cap)s") % {"limit": limit_words(self.name), "cap": self.capped}

    @property
    def name(self) -> str:
        """What machines call it: ``transfer.amount.day``; ``any.balance`` of a balance."""
        parts = (self.kind, self.measure, self.period)
        return ".".join(parts[: 2 if self.period == Period.ALWAYS else 3])

    @property
    def whom(self) -> str:
        if self.member_id:
            return f"member:{self.member_id}"
        if self.tier_id:
            return f"tier:{self.tier_id}"
        return "any" if self.level is None else f"level:{self.level}"

    @property
    def specificity(self) -> int:
        """Of those that cover a member, the highest applies: their own, their tier's, their level's, everybody's."""
        return 3 if self.member_id else 2 if self.tier_id else 0 if self.level is None else 1

    @property
    def capped(self) -> Money | int:
        return self.cap if self.measure == Limit.Measure.COUNT else Money(self.cap, self.currency)

    @property
    def sort(self) -> tuple[str, str, str, str]:
        """Of each sort one applies to a member."""
        return (self.kind, self.currency, self.measure, self.period)


_LABELS: Final = {str(value): label for kinds in (Kind, Limit.Measure, Period) for value, label in kinds.choices}


def limit_words(name: str) -> str:
    """A limit's name in the active language: ``transfer.amount.day`` is "transfer, amount, a day"."""
    known = {Limit.ANY: gettext("all together"), **_LABELS}
    return listed(str(known.get(part, part)) for part in name.split("."))


def whom_words(whom: str) -> str:
    """Of whom a limit is that is for no single member or tier, in the active language."""
    kind, _colon, level = whom.partition(":")
    return gettext("identity level %(level)s") % {"level": level} if kind == "level" else gettext("everybody")


class LimitUseQuerySet(models.QuerySet["LimitUse"]):
    def of(self, member: int, currency: str) -> Self:
        return self.filter(member=member, currency=currency)

    def given_back(self) -> Self:
        return self.filter(given_back_at__isnull=False)

    def since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)


@immutable(except_columns=["given_back_at", "lapsed_at", "counted_again_at"])
class LimitUse(models.Model):
    """What one act took of its member's limits. Written once; it may be given back.

    What turns out to have happened after it was given back counts again: ``lapsed_at`` and ``counted_again_at`` say
    between which moments others could take its room, so that with it they may be more than the limits allow. What was
    ``told`` has happened without anybody having asked: no limit judged it, and it counts all the same.

    The totals, which include it, count everything that the member ever took in the currency, of this kind and of all:
    what was used since any moment is a difference of two rows, however many lie between. Writers hold the member's
    lock, so that ids, moments and totals rise together.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(_("source"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    at = models.DateTimeField(_("at"))
    zone = models.CharField(_("time zone"), max_length=60)
    moved_from = models.CharField(max_length=60, blank=True, help_text=_("the zone of the use before, if another"))
    kind_minor = models.BigIntegerField()
    kind_count = models.BigIntegerField()
    joint_minor = models.BigIntegerField()
    joint_count = models.BigIntegerField()
    told = models.BooleanField(_("told, not asked"), default=False)
    judged = models.JSONField[Any](_("judged by"), help_text=_("each limit that applied, and since when it counted"))
    given_back_at = models.DateTimeField(_("given back"), null=True, blank=True)
    lapsed_at = models.DateTimeField(_("did not count since"), null=True, blank=True)
    counted_again_at = models.DateTimeField(_("counts again since"), null=True, blank=True)

    objects = LimitUseQuerySet.as_manager()

    class Meta:
        verbose_name = _("use of limits")
        verbose_name_plural = _("uses of limits")
        constraints = [
            models.CheckConstraint(name="members_limituse_amount", condition=Q(amount_minor__gte=0)),
            models.CheckConstraint(
                name="members_limituse_lapse",
                condition=Q(lapsed_at=None, counted_again_at=None) | Q(lapsed_at__lte=F("counted_again_at")),
            ),
            models.CheckConstraint(
                name="members_limituse_totals",
                condition=Q(kind_minor__gte=F("amount_minor"), joint_minor__gte=F("kind_minor"))
                & Q(kind_count__gte=1, joint_count__gte=F("kind_count")),
            ),
        ]
        indexes = [
            models.Index(name="members_limituse_joint", fields=["member", "currency", "at", "id"]),
            models.Index(name="members_limituse_kind", fields=["member", "currency", "kind", "at", "id"]),
            models.Index(
                name="members_limituse_back",
                fields=["member", "currency", "at"],
                condition=Q(given_back_at__isnull=False),
            ),
            models.Index(
                name="members_limituse_moved", fields=["member", "currency", "at"], condition=~Q(moved_from="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.amount}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
