"""Journals and postings: what was done, written once."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.ledger.models.accounts import Account


class JournalQuerySet(models.QuerySet["Journal"]):
    def posted(self) -> Self:
        return self.filter(refusal__isnull=True)

    def refused(self) -> Self:
        return self.filter(refusal__isnull=False)


@immutable
class Journal(models.Model):
    """One business act in the books: its postings and what it did to holds and lots, all or none.

    Its scope and reference are unique for ever, which is what makes every act safe to repeat. A refusal is kept as a
    journal without effects, so that a late retry cannot succeed by surprise.
    """

    class Outcome(models.TextChoices):
        POSTED = "posted", _("posted")
        REFUSED = "refused", _("refused")

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=40)
    scope = models.CharField(max_length=80)
    reference = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    occurred_at = models.DateTimeField(help_text=_("when it happened in the world"))
    recorded_at = models.DateTimeField(help_text=_("when we wrote it down"))
    actor = models.CharField(max_length=80)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children", db_index=False)
    source = models.CharField(max_length=80, blank=True, help_text=_("type:id of the business row behind it"))
    details = models.JSONField(null=True)
    refusal = models.JSONField(null=True, help_text=_("why nothing was done; empty when it was"))

    objects = JournalQuerySet.as_manager()

    class Meta:
        permissions = [
            ("post_manual", _("can propose to move money by hand")),
            ("approve_manual", _("can approve money moved by hand")),
            ("change_status", _("can freeze and reopen accounts")),
        ]
        constraints = [
            models.UniqueConstraint(name="ledger_journal_once", fields=["scope", "reference"]),
        ]
        indexes = [
            models.Index(name="ledger_journal_parent", fields=["parent"], condition=~Q(parent=None)),
            models.Index(name="ledger_journal_source", fields=["source"], condition=~Q(source="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def outcome(self) -> str:
        return Journal.Outcome.POSTED if self.refusal is None else Journal.Outcome.REFUSED


def _both_or_neither(one: str, other: str) -> Exact:
    return Exact(IsNull(F(one), rhs=True), IsNull(F(other), rhs=True))


@immutable
class Posting(models.Model):
    """An amount from one account to another of the same unit. Written once, never changed, cannot be unbalanced.

    On a strict side it also says the balance and the gapless number that this posting left behind.
    """

    # Three of the foreign keys have no constraint in the database: what they name is read or written by the act that
    # writes the posting, can never be deleted, and verify looks for orphans. See docs/decisions/047.
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="postings", db_constraint=False)
    position = models.SmallIntegerField()
    unit = models.CharField(max_length=8)
    source = models.ForeignKey(Account, models.PROTECT, related_name="outgoing", db_index=False, db_constraint=False)
    target = models.ForeignKey(Account, models.PROTECT, related_name="incoming", db_index=False, db_constraint=False)
    amount_minor = models.BigIntegerField()
    source_seq = models.BigIntegerField(null=True)
    source_balance_minor = models.BigIntegerField(null=True)
    target_seq = models.BigIntegerField(null=True)
    target_balance_minor = models.BigIntegerField(null=True)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_posting_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="ledger_posting_two_accounts", condition=~Q(source=F("target"))),
            models.CheckConstraint(
                name="ledger_posting_source_side",
                condition=_both_or_neither("source_seq", "source_balance_minor"),
            ),
            models.CheckConstraint(
                name="ledger_posting_target_side",
                condition=_both_or_neither("target_seq", "target_balance_minor"),
            ),
            # A side stands in one of two indexes: by its number when strict, by time (its journal's id) when deferred.
            models.UniqueConstraint(
                name="ledger_posting_source_seq",
                fields=["source", "source_seq"],
                condition=Q(source_seq__isnull=False),
            ),
            models.UniqueConstraint(
                name="ledger_posting_target_seq",
                fields=["target", "target_seq"],
                condition=Q(target_seq__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="ledger_posting_source_hot", fields=["source", "journal"], condition=Q(source_seq=None)),
            models.Index(name="ledger_posting_target_hot", fields=["target", "journal"], condition=Q(target_seq=None)),
            models.Index(name="ledger_posting_reverses", fields=["reverses"], condition=~Q(reverses=None)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} from {self.source_id} to {self.target_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.unit)
