"""Acts that wait for a second person."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from paymentsite.core import canonical
from paymentsite.core.effects import titled
from paymentsite.core.immutability import immutable


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def undecided(self) -> Self:
        return self.filter(state=Approval.State.PROPOSED)

    def due(self, now: datetime) -> Self:
        """Undecided, and too old to be decided."""
        return self.undecided().filter(expires_at__lte=now)


@immutable(
    except_columns={"state", "effect", "decided_by", "decided_person", "decided_at", "note", "done_digest"},
)
class Approval(models.Model):
    """An act that somebody proposed and nobody has done yet, or that two people have.

    What is proposed never changes; only the decision, and the effect when a new rehearsal shows another one.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved and done")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")

    act = models.CharField(_("act"), max_length=100)
    arguments = models.JSONField(_("arguments"))
    reason = models.TextField(_("reason"))
    proposed_by = models.CharField(_("proposed by"), max_length=80)
    proposed_person = models.CharField(max_length=80)
    proposed_at = models.DateTimeField(_("proposed at"))
    expires_at = models.DateTimeField(_("expires at"))
    digest = models.CharField(_("digest"), max_length=64, help_text=_("covers all of the above"))

    effect = models.JSONField(_("effect"), help_text=_("what it did when it was last rehearsed"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_person = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    note = models.TextField(_("note"), blank=True)
    done_digest = models.CharField(max_length=64, blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        indexes = [
            models.Index(name="core_approval_due", fields=["expires_at"], condition=Q(state="proposed")),
            models.Index(name="core_approval_state", fields=["state", "id"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="core_approval_two_people",
                condition=(
                    Q(state__in=["approved", "refused"])
                    & ~Q(decided_person="")
                    & ~Q(decided_person=F("proposed_person"))
                )
                | (Q(state__in=["proposed", "expired", "withdrawn"]) & Q(decided_person="")),
            ),
            models.CheckConstraint(
                name="core_approval_done_as_approved",
                condition=(Q(state="approved") & Q(done_digest=F("digest")))
                | (~Q(state="approved") & Q(done_digest="")),
            ),
            models.CheckConstraint(
                name="core_approval_decided_at",
                condition=Q(state="proposed", decided_at=None) | (~Q(state="proposed") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(name="core_approval_expires", condition=Q(expires_at__gt=F("proposed_at"))),
        ]

    def __str__(self) -> str:
        return f"{titled(self.act)} ({self.get_state_display()})"

    @property
    def shown(self) -> str:
        """The digest of the effect: an approval names the one that was looked at."""
        return effect_digest(self.effect)


def effect_digest(effect: object) -> str:
    return canonical.digest(["paymentsite approval effect 1", canonical.text(effect)]).hex()
