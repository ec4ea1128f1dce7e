"""Refunds that no account could take: what of each stands in suspense, until it is placed, paid, or taken back again.

It follows from the journals alone. What a merchant takes back comes out of the oldest that is still there.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from cards.models import CardAuthorisation, CardMessage
from cards.models.authorisations import Kind
from cards.services import use_books
from members.models import Member
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal, Posting
from paymentsite.ledger.services.accounts import HOUSE

# Put on a wallet, and paid to somebody who has none any more: the references of both are the refund's message.
PLACED: Final = "cards.refund.placed"
PAID: Final = "cards.refund.paid"
SUSPENSE: Final = "suspense"

_INTO: Final = Q(target__code=SUSPENSE, target__owner=HOUSE)
_OUT: Final = Q(source__code=SUSPENSE, source__owner=HOUSE)


@dataclass(slots=True)
class Aside:
    """What of a use stands in suspense: by message, and what stood there of it when a journal took it away."""

    left: dict[UUID, int] = field(default_factory=dict)
    before: dict[UUID, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.left.values())

    def take_back(self, minor: int) -> None:
        for message, left in self.left.items():
            part = min(left, minor)
            self.left[message] -= part
            minor -= part


def of(use: CardAuthorisation) -> Aside:
    """Journal by journal, in the order in which they were posted."""
    found = Aside()
    messages = dict(CardMessage.objects.filter(use=use.pk, kind=Kind.REFUND).values_list("journal_id", "pk"))
    rows = Posting.objects.filter(_INTO | _OUT, journal__source=use.source).order_by("journal_id", "position")
    for journal, scope, reference, target, minor in rows.values_list(
        "journal_id", "journal__scope", "journal__reference", "target__code", "amount_minor"
    ):
        if target == SUSPENSE and journal in messages:
            found.left[messages[journal]] = found.left.get(messages[journal], 0) + minor
        elif scope in {PLACED, PAID}:
            found.before[journal] = found.left.pop(UUID(reference), 0)
        elif scope == use_books.SCOPE:
            found.take_back(minor)
    return found


def put_aside(message: CardMessage) -> Money | None:
    """What of a refund was put in suspense when it came, whatever became of it."""
    row = (
        Posting.objects.filter(_INTO, journal=message.journal_id)
        .values("unit")
        .annotate(sum=Sum("amount_minor"))
        .order_by("unit")
        .first()
    )
    return Money(row["sum"], row["unit"]) if row else None


def left_of(message: CardMessage) -> Money | None:
    """What of a refund stands in suspense still; None where nothing does."""
    if message.kind != Kind.REFUND or message.journal_id is None:
        return None
    if message.use is not None:
        minor = of(message.use).left.get(message.pk, 0)
        return Money(minor, message.use.currency) if minor else None
    gone = Journal.objects.posted().filter(scope=PLACED, reference=str(message.pk))
    return None if gone.exists() else put_aside(message)


def of_member(member: Member) -> list[Money]:
    """What stands in suspense of each use of the member's cards of which something does."""
    refunds = CardMessage.objects.filter(use__member=member, kind=Kind.REFUND)
    into = Posting.objects.filter(_INTO, journal__in=refunds.values("journal"))
    uses = CardAuthorisation.objects.filter(messages__journal__in=into.values("journal")).distinct().order_by("pk")
    return [Money(left, use.currency) for use in uses if (left := of(use).total)]
