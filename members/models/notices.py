"""What a member is told: rows, so that pages show them and letters are made of them later."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.members import Member


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member).order_by("-pk")

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(models.Model):
    """Something a member should know. Stored as a kind and facts: the sentence is made in the reader's language."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, help_text=_("what it is about, once for each kind"))
    facts = models.JSONField[Any](default=dict)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(name="members_notice_once", fields=["member", "kind", "subject"]),
        ]
        indexes = [
            models.Index(name="members_notice_unmailed", fields=["id"], condition=Q(mailed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.member_id}"
