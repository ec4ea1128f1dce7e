"""What the tests of verify share: running it, and a chain of three blocks to tamper with."""

from typing import Any

from django.db.models import F

from paymentsite.core import verification
from paymentsite.core.verification import Report
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Block, Leaf, Posting, Unsealed
from tests.factories import cny, hot, purse


def verify(**how: Any) -> Report:
    return verification.discover().run(**how)


def faults(report: Report) -> set[tuple[str, str]]:
    return {(finding.check, finding.subject) for finding in report.findings}


def three_blocks() -> tuple[Account, Account]:
    """A purse and a hot account with nine journals in three blocks."""
    target, source = purse(), hot()
    for number in range(9):
        ledger.post(ledger.Move(cny(10), source, target), reference=f"fill {number}")
    ledger.close_blocks(size=3)
    return target, source


def unseal(height: int) -> None:
    """Take everything from block ``height`` on back out, balances and all, as one who knows how would."""
    leaves = Leaf.objects.filter(block__gte=height)
    for posting in Posting.objects.filter(journal__leaf__in=leaves):
        Balance.objects.filter(pk=posting.source_id).update(posted_minor=F("posted_minor") + posting.amount_minor)
    Unsealed.objects.bulk_create(Unsealed(journal_id=leaf.journal_id) for leaf in leaves)
    leaves.delete()
    Block.objects.filter(height__gte=height).delete()
