"""Where members stand: what they earned, the tier it gave them, and every change of it."""

from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from members.models.tiers import Tier
from members.tier_rules import Reason
from paymentsite.core.immutability import immutable
from paymentsite.ledger.models import Journal


@immutable
class Progress(models.Model):
    """What one source earned a member towards tiers, or what a cause took of that again. Written once.

    What is taken back counts from the moment at which it was earned, so that every window has both or neither.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="progress", db_index=False)
    source = models.CharField(_("earned by"), max_length=80)
    cause = models.CharField(_("taken back by"), max_length=80, blank=True)
    qualifying = models.BigIntegerField(_("qualifying points"))
    spend_minor = models.BigIntegerField(_("spend"))
    currency = models.CharField(_("currency"), max_length=3)
    at = models.DateTimeField(_("counts from"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("progress towards tiers")
        verbose_name_plural = _("progress towards tiers")
        constraints = [
            models.UniqueConstraint(name="members_progress_once", fields=["source", "cause"]),
            models.CheckConstraint(
                name="members_progress_sign",
                condition=Q(cause="", qualifying__gte=0, spend_minor__gte=0)
                | (~Q(cause="") & Q(qualifying__lte=0, spend_minor__lte=0)),
            ),
        ]
        indexes = [models.Index(name="members_progress_window", fields=["member", "at"])]

    def __str__(self) -> str:
        return f"{self.source}: {self.qualifying}"


class MemberTierQuerySet(models.QuerySet["MemberTier"]):
    def due(self, now: Any) -> Self:
        return self.filter(due_at__lte=now)

    def stale(self, version: int) -> Self:
        """Of an earlier version of the programme."""
        return self.filter(version__lt=version)


class MemberTier(models.Model):
    """The tier that a member has now; those who never earned anything have no row and the base tier.

    ``kept`` is what was given or bought: they do not fall below it before ``kept_until``, whatever they earn. What was
    given or bought before it and lasts longer is kept after it; their changes know.
    ``due_at`` is the first moment at which time alone can change anything.
    """

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="standing")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("tier"))
    since = models.DateTimeField(_("since"))
    kept = models.ForeignKey(Tier, models.PROTECT, null=True, related_name="+", verbose_name=_("kept tier"))
    kept_until = models.DateTimeField(_("kept until"), null=True)
    kept_by = models.CharField(_("kept because"), max_length=20, choices=Reason, blank=True)
    grace_until = models.DateTimeField(_("grace until"), null=True)
    due_at = models.DateTimeField(_("looked at again"), null=True)
    version = models.PositiveIntegerField(_("version of the programme"))

    objects = MemberTierQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier of a member")
        verbose_name_plural = _("tiers of members")
        permissions = [
            ("propose_member_tier", _("can propose to give a member a tier")),
            ("approve_member_tier", _("can approve that a member is given a tier")),
        ]
        constraints = [
            models.CheckConstraint(
                name="members_membertier_kept",
                condition=Q(kept=None, kept_until=None, kept_by="")
                | Q(kept__isnull=False, kept_until__isnull=False, kept_by__in=["given", "bought"]),
            ),
        ]
        indexes = [
            models.Index(name="members_membertier_due", fields=["due_at"], condition=~Q(due_at=None)),
            models.Index(name="members_membertier_version", fields=["version"]),
        ]

    def __str__(self) -> str:
        return gettext("%(tier)s: member %(member)s") % {"tier": self.tier, "member": self.member_id}


@immutable
class TierChange(models.Model):
    """A member's tier became another one, or is kept for another reason. Written once, never changed."""

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="tier_changes")
    before = models.ForeignKey(Tier, models.PROTECT, null=True, related_name="+", verbose_name=_("before"))
    after = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("after"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    note = models.CharField(_("note"), max_length=255, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    figures = models.JSONField[Any](_("figures"), default=dict, encoder=DjangoJSONEncoder)
    until = models.DateTimeField(_("kept until"), null=True)
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    points = models.BigIntegerField(_("points"), null=True)
    journal = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("change of tier")
        verbose_name_plural = _("changes of tier")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="members_tierchange_once", fields=["member", "reference"], condition=~Q(reference="")
            ),
            models.CheckConstraint(
                name="members_tierchange_bought",
                condition=Q(reason="bought", points__gt=0, journal__isnull=False) & ~Q(reference="")
                | (~Q(reason="bought") & Q(points=None, journal=None, reference="")),
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(what)s: member %(member)s") % {"what": self.get_reason_display(), "member": self.member_id}
