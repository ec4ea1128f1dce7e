"""What members bought, as far as points go by it, and what it earned them."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.earning import EarnRule
from members.models.members import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money


@immutable(except_columns=["refunded_minor", "final_at"])
class Purchase(models.Model):
    """A payment of a higher app, named by its source. ``refunded_minor`` is how much of it was given back by now."""

    source = models.CharField(_("payment"), max_length=80, unique=True)
    member = models.ForeignKey(Member, models.PROTECT, related_name="purchases", verbose_name=_("member"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("price"))
    earning_minor = models.BigIntegerField(
        _("of which earns"), help_text=_("what was paid with points, for example, does not")
    )
    refunded_minor = models.BigIntegerField(_("refunded"), default=0)
    merchant = models.CharField(_("merchant"), max_length=80, blank=True)
    category = models.CharField(_("category"), max_length=80, blank=True)
    at = models.DateTimeField(_("at"))
    final_at = models.DateTimeField(_("final"), null=True)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        constraints = [
            models.CheckConstraint(
                name="members_purchase_amounts",
                condition=Q(
                    amount_minor__gt=0,
                    earning_minor__gte=0,
                    earning_minor__lte=F("amount_minor"),
                    refunded_minor__gte=0,
                    refunded_minor__lte=F("amount_minor"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(self.refunded_minor, self.currency)

    @property
    def earning(self) -> Money:
        return Money(self.earning_minor, self.currency)


@immutable
class PurchaseRefund(models.Model):
    """A part of a purchase that was given back, named by its cause: the refund's row in a higher app."""

    purchase = models.ForeignKey(Purchase, models.PROTECT, related_name="refunds")
    cause = models.CharField(_("refund"), max_length=80)
    amount_minor = models.BigIntegerField(_("amount"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("refund of a purchase")
        verbose_name_plural = _("refunds of purchases")
        constraints = [
            models.UniqueConstraint(name="members_purchase_refund_once", fields=["purchase", "cause"]),
            models.CheckConstraint(name="members_purchase_refund_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return self.cause


# Columns of an earning that say what has become of its points after they were given or taken back.
_ENDS = F("taken_pending") + F("taken_points") + F("taken_repaid") + F("taken_debt") + F("lapsed") + F("forgiven")


class EarningQuerySet(models.QuerySet["Earning"]):
    def pending(self) -> Self:
        return self.filter(state=Earning.State.PENDING)

    def due(self, now: datetime) -> Self:
        return self.pending().filter(pending_until__lte=now)


@immutable(
    except_columns=[
        "state",
        "pending_until",
        "given_at",
        "expires_on",
        "given_points",
        "repaid_debt",
        "taken_pending",
        "taken_points",
        "taken_repaid",
        "taken_debt",
        "lapsed",
        "forgiven",
        "taken_qualifying",
    ]
)
class Earning(models.Model):
    """What one source earned by one rule, which never changes, and what has become of it.

    ``points`` were earned. While pending they are on the member's pending account. Given, ``given_points`` went among
    the member's points and ``repaid_debt`` towards what they owed. What a refund undid was taken while it was pending,
    out of points, out of a debt it had repaid, into a new debt; or had lapsed unspent, or was forgiven.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        GIVEN = "given", _("given")
        TAKEN_BACK = "taken_back", _("taken back")

    source = models.CharField(_("for"), max_length=80)
    rule = models.ForeignKey(EarnRule, models.PROTECT, related_name="earnings", verbose_name=_("rule"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="earnings", verbose_name=_("member"))
    purchase = models.ForeignKey(Purchase, models.PROTECT, null=True, related_name="earnings")
    points = models.BigIntegerField(_("points"))
    earn_bp = models.PositiveIntegerField(_("tier's rate"))
    qualifying = models.BigIntegerField(_("qualifying points"), default=0)
    at = models.DateTimeField(_("at"))

    state = models.CharField(_("state"), max_length=10, choices=State)
    pending_until = models.DateTimeField(
        _("pending until"), null=True, help_text=_("empty: until the payment is final")
    )
    given_at = models.DateTimeField(_("given at"), null=True)
    expires_on = models.DateField(_("expires on"), null=True)
    given_points = models.BigIntegerField(_("given as points"), default=0)
    repaid_debt = models.BigIntegerField(_("repaid a debt"), default=0)

    taken_pending = models.BigIntegerField(_("taken while pending"), default=0)
    taken_points = models.BigIntegerField(_("taken from points"), default=0)
    taken_repaid = models.BigIntegerField(_("owed again"), default=0)
    taken_debt = models.BigIntegerField(_("taken as a debt"), default=0)
    lapsed = models.BigIntegerField(_("had lapsed"), default=0)
    forgiven = models.BigIntegerField(_("left to the member"), default=0)
    taken_qualifying = models.BigIntegerField(_("qualifying points taken"), default=0)

    objects = EarningQuerySet.as_manager()

    class Meta:
        verbose_name = _("earning")
        verbose_name_plural = _("earnings")
        constraints = [
            models.UniqueConstraint(name="members_earning_once", fields=["source", "rule"]),
            models.CheckConstraint(
                name="members_earning_figures",
                condition=Q(
                    points__gt=0,
                    qualifying__gte=0,
                    given_points__gte=0,
                    repaid_debt__gte=0,
                    taken_pending__gte=0,
                    taken_points__gte=0,
                    taken_repaid__gte=0,
                    taken_repaid__lte=F("repaid_debt"),
                    taken_debt__gte=0,
                    lapsed__gte=0,
                    lapsed__lte=F("given_points"),
                    forgiven__gte=0,
                    taken_qualifying__gte=0,
                    taken_qualifying__lte=F("qualifying"),
                    points__gte=_ENDS,
                ),
            ),
            models.CheckConstraint(
                name="members_earning_given_or_not",
                condition=Q(given_at__isnull=True, given_points=0, repaid_debt=0, points__gte=F("taken_pending"))
                & Q(taken_points=0, taken_debt=0, lapsed=0, forgiven=0)
                | Q(given_at__isnull=False, points=F("given_points") + F("repaid_debt") + F("taken_pending")),
            ),
            models.CheckConstraint(
                name="members_earning_state",
                condition=Q(state="pending", given_at__isnull=True, points__gt=_ENDS)
                | Q(state="given", given_at__isnull=False, points__gt=_ENDS)
                | Q(state="taken_back", points=_ENDS),
            ),
            models.CheckConstraint(
                name="members_earning_expires",
                condition=Q(expires_on__isnull=True, given_points=0) | Q(expires_on__isnull=False, given_points__gt=0),
            ),
        ]
        indexes = [
            models.Index(name="members_earning_due", fields=["pending_until"], condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return gettext("%(points)s for %(source)s") % {"points": self.points, "source": self.source}

    @property
    def undone(self) -> int:
        """What refunds have dealt with, one way or another."""
        return self.taken + self.lapsed + self.forgiven

    @property
    def taken(self) -> int:
        """What came back to the house."""
        return self.taken_pending + self.taken_points + self.taken_repaid + self.taken_debt


@immutable(except_columns=["due_at", "rewarded_at"])
class Referral(models.Model):
    """Who brought whom. The bringer is rewarded once, when a purchase of the new member is final and still stands.

    With what the rules of that moment promised, which may be nothing: ``rewarded_at`` says when that was settled.
    """

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="referral")
    referrer = models.ForeignKey(Member, models.PROTECT, related_name="referrals")
    at = models.DateTimeField(_("at"))
    due_at = models.DateTimeField(_("earned at"), null=True)
    rewarded_at = models.DateTimeField(_("rewarded at"), null=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(name="members_referral_of_another", condition=~Q(member=F("referrer"))),
            models.CheckConstraint(
                name="members_referral_in_order", condition=Q(rewarded_at__isnull=True) | Q(due_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(
                name="members_referral_due",
                fields=["due_at"],
                condition=Q(due_at__isnull=False, rewarded_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return gettext("member %(member)s, brought by member %(referrer)s") % {
            "member": self.member_id,
            "referrer": self.referrer_id,
        }
