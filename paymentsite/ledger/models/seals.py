"""Seals: what makes a change of history visible."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from paymentsite.core.immutability import immutable
from paymentsite.ledger.models.accounts import Account
from paymentsite.ledger.models.journals import Journal


class Unsealed(models.Model):
    """A journal that no block holds yet. Rows are deleted as they are sealed, so none can be overtaken and missed."""

    journal = models.OneToOneField(Journal, models.PROTECT, primary_key=True, db_constraint=False)

    def __str__(self) -> str:
        return str(self.journal_id)


@immutable
class Block(models.Model):
    """Journals sealed together: the root of their hashes, chained to the block before, signed."""

    height = models.BigIntegerField(primary_key=True)
    previous = models.BinaryField(max_length=32)
    root = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    journals = models.PositiveIntegerField(help_text=_("how many it holds"))
    recorded_from = models.DateTimeField(help_text=_("the earliest journal in it"))
    recorded_until = models.DateTimeField(help_text=_("the latest journal in it or in any block before"))
    closed_at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField(max_length=64)

    def __str__(self) -> str:
        return f"block {self.height}"


@immutable
class Leaf(models.Model):
    """A journal's place in its block."""

    journal = models.OneToOneField(Journal, models.PROTECT, primary_key=True, db_constraint=False)
    block = models.ForeignKey(Block, models.PROTECT, related_name="leaves", db_index=False, db_constraint=False)
    position = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(name="ledger_leaf_position", fields=["block", "position"])]
        verbose_name_plural = _("leaves")

    def __str__(self) -> str:
        return f"{self.position} of block {self.block_id}"


@immutable
class Snapshot(models.Model):
    """What was on an account when a block was closed: that block's journals and all before, nothing else."""

    block = models.ForeignKey(Block, models.PROTECT, related_name="snapshots")
    account = models.ForeignKey(Account, models.PROTECT, related_name="snapshots", db_index=False)
    posted_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()
    seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="ledger_snapshot_once", fields=["account", "block"])]

    def __str__(self) -> str:
        return f"{self.posted_minor} on {self.account_id} at block {self.block_id}"
