"""Refunds that no account could take: what of each stands in suspense, until it is placed, paid, or taken back again.

It follows from the journals alone. What a merchant takes back comes out of the oldest that is still there.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from cards.models import CardAuthorisation, CardMessage
from cards.models.messages import Kind
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
    """What of a use stands in suspense: by message, and what stood there of it when a journal took it away.

    ``short``: how much more a journal took back than was there.
    """

    left: dict[UUID, int] = field(default_factory=dict)
    before: dict[UUID, int] = field(default_factory=dict)
    short: dict[UUID, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.left.values())

    def take_back(self, journal: UUID, minor: int) -> None:
        for message, left in self.left.items():
            part = min(left, minor)
            self.left[message] -= part
            minor -= part
        self.short[journal] = minor


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
            found.take_back(journal, minor)
    return found


def of_stray(message: CardMessage) -> Aside:
    """The same of what was said about a card that is none of ours under the message's reference of the network."""
    found = Aside()
    strays = CardMessage.objects.filter(use=None, processor=message.processor, reference=message.reference)
    if not message.reference:
        strays = strays.filter(pk=message.pk)
    told = {row.journal_id: row for row in strays.filter(kind__in=[Kind.REFUND, Kind.REFUND_REVERSAL])}
    known = [str(row.pk) for row in told.values()]
    placed = Journal.objects.posted().filter(scope__in=[PLACED, PAID], reference__in=known)
    taken = dict(placed.values_list("pk", "reference"))
    for journal in sorted(key for key in [*told, *taken] if key is not None):
        if journal in taken:
            found.before[journal] = found.left.pop(UUID(taken[journal]), 0)
        elif told[journal].settlement_currency != message.settlement_currency:
            continue
        elif told[journal].kind == Kind.REFUND:
            found.left[told[journal].pk] = told[journal].settlement_minor or 0
        else:
            found.take_back(journal, told[journal].settlement_minor or 0)
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
    unit = message.use.currency if message.use else message.settlement_currency
    minor = about(message).left.get(message.pk, 0)
    return Money(minor, unit) if minor else None


def about(message: CardMessage) -> Aside:
    """What stands in suspense of all that was said about the same."""
    return of(message.use) if message.use is not None else of_stray(message)


def has_left(message: CardMessage) -> bool:
    """Whether the member to whom it was given back has no wallet any more."""
    return message.whose is not None and message.whose.state == Member.State.CLOSED


def of_member(member: Member) -> list[Money]:
    """What stands in suspense of each use of the member's cards, or message about one, of which something does."""
    refunds = CardMessage.objects.filter(use__member=member, kind=Kind.REFUND)
    into = Posting.objects.filter(_INTO, journal__in=refunds.values("journal"))
    uses = CardAuthorisation.objects.filter(messages__journal__in=into.values("journal")).distinct().order_by("pk")
    strays = CardMessage.objects.filter(use=None, card__member=member, kind=Kind.REFUND).order_by("pk")
    found = [Money(left, use.currency) for use in uses if (left := of(use).total)]
    return found + [amount for message in strays if (amount := left_of(message))]
