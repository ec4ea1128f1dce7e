"""Spending points, and giving back those that a refunded payment had spent."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, Sum
from django.utils.translation import gettext_noop

from members.models import Member, Purchase
from members.services.points import accounts
from paymentsite.core.errors import Invalid
from paymentsite.core.money import Money
from paymentsite.core.rounding import Rounding, divide
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import LotUse, Posting


class NotPoints(Invalid):
    code = "not_points"
    sentence = gettext_noop("{given} cannot be spent as points.")


def spent(*, member: Member, points: Money) -> list[ledger.Move]:
    """What takes ``points`` from the member, those that expire first: part of a payment, a discount, a reward.

    Nothing for none. The ledger refuses more than can be spent. A flow that can be refunded posts it in the journal
    whose source is the payment's, where ``taken_back`` finds it.
    """
    if points.unit != accounts.POINTS or points.minor < 0:
        raise NotPoints(given=points)
    if not points.minor:
        return []
    return [ledger.Move(points, accounts.of(member).points, accounts.rewards())]


def given_back(purchase: Purchase, *, refunded_minor: int, theirs: accounts.Accounts) -> list[ledger.Undo]:
    """What returns the points that ``purchase`` spent, as much as belongs to all that is refunded by now.

    The same lots come back; rounded down, so that what is left over comes with the last refund.
    """
    entries = []
    for posting in _spendings(purchase, theirs):
        whole = posting.amount_minor
        back = divide(whole * refunded_minor, purchase.amount_minor, Rounding.DOWN)
        came = posting.reversals.aggregate(total=Sum("amount_minor"))["total"] or 0
        if back > came:
            entries.append(ledger.Undo(posting, accounts.pts(back - came)))
    return entries


def _spendings(purchase: Purchase, theirs: accounts.Accounts) -> list[Posting]:
    return list(
        Posting.objects.filter(
            journal__source=purchase.source,
            journal__refusal__isnull=True,
            source=theirs.points,
            target=accounts.rewards(),
            reverses=None,
        )
        .select_related("source", "target")
        .order_by("pk")
    )


def alive_among(entries: list[ledger.Undo], today: date) -> int:
    """How much of what comes back can be spent. The ledger gives back first what lasts longest."""
    return sum(min(undo.amount.minor, _alive_of(undo.posting, today)) for undo in entries if undo.amount)


def _alive_of(posting: Posting, today: date) -> int:
    """How much of what the posting spent, and what has not come back yet, is of lots that are alive."""
    spent = _uses([posting], LotUse.Kind.USED, today)
    return spent - _uses(posting.reversals.all(), LotUse.Kind.RETURNED, today)


def _uses(postings: Iterable[Posting], kind: LotUse.Kind, today: date) -> int:
    those = Q(pk__in=[])
    for posting in postings:
        those |= Q(journal=posting.journal_id, position=posting.position)
    uses = LotUse.objects.filter(those, kind=kind, lot__expires_on__gte=today)
    return uses.aggregate(total=Sum("amount_minor"))["total"] or 0
