"""The audit trail: who did what to what, and the chain that shows when it was touched."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from paymentsite.core.disclosure import named
from paymentsite.core.immutability import immutable


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def of(self, subject: models.Model | str) -> Self:
        return self.filter(subject=named(subject))


@immutable
class AuditEntry(models.Model):
    """One act, as it was recorded in the act's own transaction. Written once, never changed."""

    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=80)
    act = models.CharField(_("act"), max_length=100)
    subject = models.CharField(_("subject"), max_length=120)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    reason = models.TextField(_("reason"), blank=True)
    request_id = models.CharField(_("request id"), max_length=100, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(name="core_audit_subject", fields=["subject", "id"]),
            models.Index(name="core_audit_by", fields=["by", "id"]),
            models.Index(name="core_audit_act", fields=["act", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject}"


class AuditWaiting(models.Model):
    """An entry that no seal covers yet: written with it, deleted by the sealer."""

    entry = models.OneToOneField(AuditEntry, models.PROTECT, primary_key=True, related_name="waiting")

    def __str__(self) -> str:
        return str(self.entry_id)


@immutable
class AuditSeal(models.Model):
    """Our signature under the chain up to a link; as the chain goes on, it vouches for all before it."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    last_position = models.BigIntegerField(_("last position"), unique=True)
    head = models.BinaryField(_("head"))
    sealed_at = models.DateTimeField(_("sealed at"))
    key_id = models.CharField(_("key"), max_length=40)
    signature = models.BinaryField(_("signature"))

    class Meta:
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")

    def __str__(self) -> str:
        return f"{self.number}:{bytes(self.head).hex()}"


@immutable
class AuditLink(models.Model):
    """An entry's place in the chain: its digest covers the entry and the digest of the link before."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="link")
    digest = models.BinaryField()

    def __str__(self) -> str:
        return str(self.position)
