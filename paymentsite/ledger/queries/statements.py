"""Statements: an account's postings as its owner reads them, page by page from an index."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from paymentsite.core.errors import Invalid
from paymentsite.core.ids import uuid7_floor
from paymentsite.core.money import Money
from paymentsite.core.reading import one_view
from paymentsite.ledger.models import Account, Journal, Posting
from paymentsite.ledger.queries.balances import balance_at, cut

PAGE: Final = 50
_TRIES: Final = 5
_DIGITS: Final = 19  # fewer fit 64 bits
_MILLISECOND: Final = timedelta(milliseconds=1)


class PageUnknown(Invalid):
    code = "page_unknown"
    sentence = gettext_noop("{page} is not where a page of this statement begins.")


@dataclass(frozen=True, slots=True)
class Line:
    """One posting seen from one account: what came (or, negative, went), to or from whom, and what it left.

    ``balance`` and ``seq`` are None on a deferred account, where postings do not queue up.
    """

    posting_id: int
    seq: int | None
    amount: Money
    balance: Money | None
    counterparty: Account
    journal: Journal

    @property
    def place(self) -> str:
        """Where the line stands, for the page that begins after it."""
        return f"{self.journal.pk.hex}.{self.posting_id}" if self.seq is None else str(self.seq)


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of lines, the latest first; ``next_page`` asks for the one after it and is None at the end."""

    lines: list[Line]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """What stood at the beginning of a period, its lines, the oldest first, and what stood at its end."""

    opening: Money
    lines: list[Line]
    closing: Money


def statement(account: Account, *, page: str = "", limit: int = PAGE) -> Statement:
    """The account's lines, the latest first, from where ``page`` (an earlier page's ``next_page``) says."""
    came, went = _incoming(account), _outgoing(account)
    if account.strict:
        if page:
            number = _number(page)
            came, went = came.filter(target_seq__lt=number), went.filter(source_seq__lt=number)
        came, went = came.order_by("-target_seq"), went.order_by("-source_seq")
    else:
        if page:
            came, went = came.filter(_before(page)), went.filter(_before(page))
        came, went = came.order_by("-journal_id", "-pk"), went.order_by("-journal_id", "-pk")
    lines = _latest(account, came, went, limit + 1)
    return Statement(lines[:limit], lines[limit - 1].place if len(lines) > limit else None)


def _latest(account: Account, came: QuerySet[Posting], went: QuerySet[Posting], count: int) -> list[Line]:
    """The latest ``count`` lines of both. Numbers without a gap tell that nothing came between the two questions."""
    for left in range(_TRIES, 0, -1):
        lines = sorted(_lines(account, came[:count], went[:count]), key=_order, reverse=True)[:count]
        if left == 1 or all((above.seq or 0) - (below.seq or 0) <= 1 for above, below in pairwise(lines)):
            return lines
    raise AssertionError("the last try returns")


def statement_between(account: Account, *, since: datetime, until: datetime) -> Period:
    """What was recorded on ``account`` from ``since`` on and before ``until``; opening and lines add up to closing."""
    with one_view():
        return _between(account, since, until)


def _between(account: Account, since: datetime, until: datetime) -> Period:
    came, went = _incoming(account), _outgoing(account)
    if account.strict:
        begin, end = cut(account, since), cut(account, until)
        opening = begin.before
        if begin.after is None:
            return Period(opening, [], opening)
        came, went = came.filter(target_seq__gte=begin.after), went.filter(source_seq__gte=begin.after)
        if end.after is not None:
            came, went = came.filter(target_seq__lt=end.after), went.filter(source_seq__lt=end.after)
    else:
        opening = balance_at(account, since, inclusive=False)
        span = Q(journal__gte=uuid7_floor(since), journal__lt=uuid7_floor(until + _MILLISECOND))
        span &= Q(journal__recorded_at__gte=since, journal__recorded_at__lt=until)
        came, went = came.filter(span), went.filter(span)
    lines = sorted(_lines(account, came, went), key=_order)
    return Period(opening, lines, opening + Money(sum(line.amount.minor for line in lines), account.unit))


def _incoming(account: Account) -> QuerySet[Posting]:
    return Posting.objects.filter(target=account, target_seq__isnull=not account.strict)


def _outgoing(account: Account) -> QuerySet[Posting]:
    return Posting.objects.filter(source=account, source_seq__isnull=not account.strict)


def _lines(account: Account, came: QuerySet[Posting], went: QuerySet[Posting]) -> list[Line]:
    # Journals and counterparties come after, by their keys: joined, the planner may walk all later journals first.
    sides = [(p, p.target_seq, p.amount_minor, p.target_balance_minor, p.source_id) for p in came]
    sides += [(p, p.source_seq, -p.amount_minor, p.source_balance_minor, p.target_id) for p in went]
    journals = Journal.objects.in_bulk({p.journal_id for p, *_ in sides})
    others = Account.objects.in_bulk({other_id for *_, other_id in sides})
    unit = account.unit
    return [
        Line(p.pk, seq, Money(amount, unit), _money(left, unit), others[other_id], journals[p.journal_id])
        for p, seq, amount, left, other_id in sides
    ]


def _money(minor: int | None, unit: str) -> Money | None:
    return None if minor is None else Money(minor, unit)


def _order(line: Line) -> tuple[int, UUID, int]:
    return (line.seq or 0, line.journal.pk if line.seq is None else UUID(int=0), line.posting_id)


def _number(page: str) -> int:
    if not (page.isascii() and page.isdecimal() and len(page) < _DIGITS):
        raise PageUnknown(page=page)
    return int(page)


def _before(page: str) -> Q:
    journal, dot, posting = page.partition(".")
    try:
        key = UUID(journal)
    except ValueError:
        raise PageUnknown(page=page) from None
    if not dot:
        raise PageUnknown(page=page)
    return Q(journal__lte=key) & (Q(journal__lt=key) | Q(pk__lt=_number(posting)))
