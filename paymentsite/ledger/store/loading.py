"""Lots, and what is left to reverse of earlier postings, read into a book."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, Sum

from paymentsite.ledger.book import Book, LotState, Past
from paymentsite.ledger.models import Lot, LotUse, Posting
from paymentsite.ledger.store.needs import Needs


def load_lots(book: Book, needs: Needs) -> None:
    """Lots with something left or held, those that new value may join, and those that reversals may touch."""
    ids = [pk for pk, account in needs.accounts.items() if account.lots]
    wanted = Q(account__in=ids) & (Q(pk__in=Lot.objects.with_left().values("pk")) | Q(held_minor__gt=0))
    for account_id, terms in needs.terms:
        wanted |= Q(account=account_id, origin=terms.origin, active_on=terms.active_on, expires_on=terms.expires_on)
    if needs.postings:
        wanted |= Q(pk__in=LotUse.objects.filter(_uses_of(needs.postings.values())).values("lot"))
    for lot in Lot.objects.filter(wanted):
        book.lots.setdefault(lot.account_id, {})[lot.pk] = LotState(
            lot.pk,
            lot.account_id,
            lot.origin,
            lot.active_on,
            lot.expires_on,
            lot.issued_minor,
            lot.used_minor,
            lot.expired_minor,
            lot.held_minor,
        )
    sign = {LotUse.Kind.HELD: 1, LotUse.Kind.UNHELD: -1, LotUse.Kind.USED: -1}
    for use in LotUse.objects.filter(hold__in=needs.holds):
        reserves = book.reserved.setdefault(use.hold_id or UUID(int=0), {})
        reserves[use.lot_id] = reserves.get(use.lot_id, 0) + sign[LotUse.Kind(use.kind)] * use.amount_minor


def _uses_of(postings: Iterable[Posting]) -> Q:
    uses = Q(pk__in=[])
    for posting in postings:
        uses |= Q(journal=posting.journal_id, position=posting.position)
    return uses


def load_past(book: Book, needs: Needs) -> None:
    """What is left to reverse of each posting, and of the lots that each gave to or took from."""
    undone = Posting.objects.filter(reverses__in=needs.postings)
    gone: dict[int | None, int] = dict(
        undone.values("reverses").annotate(total=Sum("amount_minor")).values_list("reverses", "total")
    )
    later: dict[int, list[Posting]] = defaultdict(list)
    if any(account.lots for account in needs.accounts.values()):
        for reversal in undone:
            later[reversal.reverses_id or 0].append(reversal)
    for pk, posting in needs.postings.items():
        past = Past(posting.unit, posting.source_id, posting.target_id, posting.amount_minor - gone.get(pk, 0))
        if posting.source.lots or posting.target.lots:
            _load_shares(past, posting, later[pk])
        book.past[pk] = past


_GAVE = (LotUse.Kind.ISSUED, LotUse.Kind.RETURNED)
_TOOK = (LotUse.Kind.USED, LotUse.Kind.WITHDRAWN)


def _load_shares(past: Past, posting: Posting, reversals: Iterable[Posting]) -> None:
    for use in LotUse.objects.filter(_uses_of([posting])).order_by("pk"):
        if use.kind in _GAVE:
            past.given[use.lot_id] = past.given.get(use.lot_id, 0) + use.amount_minor
        elif use.kind in _TOOK:
            past.taken[use.lot_id] = past.taken.get(use.lot_id, 0) + use.amount_minor
    for use in LotUse.objects.filter(_uses_of(reversals)):
        if use.kind in _TOOK and use.lot_id in past.given:
            past.given[use.lot_id] -= use.amount_minor
        elif use.kind in _GAVE and use.lot_id in past.taken:
            past.taken[use.lot_id] -= use.amount_minor
