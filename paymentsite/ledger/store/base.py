"""What the ledger needs of a database; the two that speak it stand beside this module."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, QuerySet, Sum

from paymentsite.ledger.book import BalanceState, Book, Effects, HoldState, LotState, Past
from paymentsite.ledger.canon import JournalFacts
from paymentsite.ledger.entries import (
    Capture,
    Draft,
    Entry,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Terms,
    Undo,
)
from paymentsite.ledger.models import Account, Hold, HoldEvent, Journal, Lot, LotUse, Posting

Key = tuple[str, str]  # scope and reference


class Stored(NamedTuple):
    """An act that was decided before."""

    id: UUID
    request_hash: bytes
    recorded_at: datetime
    refusal: dict[str, Any] | None


@dataclass(slots=True)
class Needs:
    """Which rows a run of acts must know."""

    accounts: dict[int, Account] = field(default_factory=dict)
    holds: set[UUID] = field(default_factory=set)
    postings: dict[int, Posting] = field(default_factory=dict)
    terms: list[tuple[int, Terms]] = field(default_factory=list)
    placing: bool = False

    @property
    def plain(self) -> bool:
        """Whether balances, journals and postings are all that is read and written."""
        return not (self.holds or self.postings or self.placing or any(a.lots for a in self.accounts.values()))

    @classmethod
    def of(cls, drafts: Iterable[Draft]) -> "Needs":
        needs = cls()
        for draft in drafts:
            for entry in draft.entries:
                needs.add(entry)
        return needs

    def add(self, entry: Entry) -> None:
        match entry:
            case Move(_, source, target, terms):
                self._know(source, target, terms=terms)
            case Undo(posting, _):
                self.postings[posting.pk] = posting
                self._know(posting.source, posting.target)
            case Lapse(source, target, _):
                self._know(source, target)
            case Place(_, account, _):
                self.placing = True
                self._know(account)
            case Capture(_, hold, target, _, _, terms):
                self.holds.add(hold.pk)
                self._know(hold.account, target, terms=terms)
            case Increase(hold=hold) | Extend(hold=hold) | Release(hold=hold) | Expire(hold=hold):
                self.holds.add(hold.pk)
                self._know(hold.account)

    def _know(self, *accounts: Account, terms: Terms | None = None) -> None:
        for account in accounts:
            self.accounts[account.id] = account
        if terms is not None:
            self.terms.append((accounts[-1].pk, terms))


@dataclass(slots=True)
class Written:
    """One decided act on its way into the database: effects when it was accepted, none when it was refused."""

    journal: JournalFacts
    digest: bytes
    effects: Effects | None


def all_there(draft: Draft) -> bool:
    """Whether all that the draft names is in the database."""
    needs = Needs.of([draft])
    named: list[tuple[type[Model], set[Any]]] = [
        (Account, set(needs.accounts)),
        (Hold, needs.holds),
        (Posting, set(needs.postings)),
        (Journal, set() if draft.parent is None else {draft.parent}),
    ]
    return all(not keys or QuerySet(model).filter(pk__in=keys).count() == len(keys) for model, keys in named)


class Pen(ABC):
    """Writes journals with their postings part by part, and at the end the balances that all of them leave."""

    @abstractmethod
    def put(self, written: Sequence[Written]) -> None: ...

    @abstractmethod
    def settle(self, balances: Sequence[BalanceState]) -> None: ...


class Store(ABC):
    """Reads under lock and writes set-wise; all but ``find`` inside a transaction.

    What is used by itself (``find``, ``write_leaves``) raises Django's errors, the rest the driver's: its callers
    wrap a whole act at once.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def transaction(self, needs: Needs) -> AbstractContextManager[Any]:  # noqa: ARG002  others know a shorter one
        """The transaction of an act that is not inside one, or its savepoint."""
        return transaction.atomic()

    @abstractmethod
    def find(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The acts among ``keys`` that were decided before."""

    @abstractmethod
    def lock(self, account_ids: Sequence[int], *, strict: bool) -> list[BalanceState]:
        """The balances of accounts; those of strict ones locked, in id order, until the transaction ends."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Pen]:
        """What puts decided acts and the balances they leave into the database; all is there when it closes."""

    @abstractmethod
    def lock_journals(self, ids: Sequence[UUID]) -> None:
        """Keep others from reversing these journals until the transaction ends."""

    @abstractmethod
    def write_leaves(self, height: int, leaves: Iterable[tuple[UUID, bytes]]) -> None:
        """Put the leaves of block ``height`` into the database, in their order."""

    def load(self, needs: Needs) -> Book:
        """The book that ``needs`` asks for: journals locked first, then accounts, each in id order."""
        if needs.postings:
            self.lock_journals(sorted({posting.journal_id for posting in needs.postings.values()}))
        book = Book(accounts=needs.accounts)
        for strict in (True, False):
            ids = sorted(pk for pk, account in needs.accounts.items() if account.strict is strict)
            if ids:
                book.balances.update({state.account_id: state for state in self.lock(ids, strict=strict)})
        if needs.holds:
            book.holds = {hold.pk: _hold_state(hold) for hold in Hold.objects.filter(pk__in=needs.holds)}
        if any(account.lots for account in needs.accounts.values()):
            _load_lots(book, needs)
        if needs.postings:
            _load_past(book, needs)
        return book

    def write_rest(self, written: Sequence[Written], book: Book) -> None:
        """Holds and lots and what happened to them: few enough that the ORM and ``executemany`` carry them."""
        holds = [(w, fact) for w in written if w.effects for fact in w.effects.holds]
        lots = [(w, fact) for w in written if w.effects for fact in w.effects.lots]
        if holds:
            self._write_holds([book.holds[key] for key in dict.fromkeys(fact.hold_id for _, fact in holds)])
            HoldEvent.objects.bulk_create(
                HoldEvent(
                    hold_id=fact.hold_id,
                    journal_id=w.journal.id,
                    position=fact.position,
                    kind=fact.kind,
                    amount_minor=fact.amount_minor,
                    expires_at=fact.expires_at,
                )
                for w, fact in holds
            )
        if lots:
            seen = {fact.lot_id: fact.account_id for _, fact in lots}
            self._write_lots([book.lots[account_id][lot_id] for lot_id, account_id in seen.items()])
            LotUse.objects.bulk_create(
                LotUse(
                    lot_id=fact.lot_id,
                    journal_id=w.journal.id,
                    position=fact.position,
                    hold_id=fact.hold_id,
                    kind=fact.kind,
                    amount_minor=fact.amount_minor,
                )
                for w, fact in lots
            )

    def _write_holds(self, states: Sequence[HoldState]) -> None:
        Hold.objects.bulk_create(
            Hold(
                id=state.id,
                account_id=state.account_id,
                unit=state.unit,
                authorised_minor=state.authorised,
                captured_minor=state.captured,
                released_minor=state.released,
                state=state.state,
                placed_at=state.placed_at,
                expires_at=state.expires_at,
            )
            for state in states
            if state.new
        )
        self._update(
            Hold,
            ("authorised_minor", "captured_minor", "released_minor", "state", "expires_at"),
            [(s.authorised, s.captured, s.released, s.state, s.expires_at, s.id) for s in states if not s.new],
        )

    def _write_lots(self, states: Sequence[LotState]) -> None:
        Lot.objects.bulk_create(
            Lot(
                id=state.id,
                account_id=state.account_id,
                origin=state.origin,
                active_on=state.active_on,
                expires_on=state.expires_on,
                issued_minor=state.issued,
                used_minor=state.used,
                expired_minor=state.expired,
                held_minor=state.held,
            )
            for state in states
            if state.new
        )
        self._update(
            Lot,
            ("issued_minor", "used_minor", "expired_minor", "held_minor"),
            [(s.issued, s.used, s.expired, s.held, s.id) for s in states if not s.new],
        )

    def _update(self, model: type[Hold] | type[Lot], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        fields: list[Any] = [model._meta.get_field(column) for column in (*columns, "id")]
        settings = ", ".join(f"{column} = %s" for column in columns)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {model._meta.db_table} SET {settings} WHERE id = %s",
                [
                    tuple(field.get_db_prep_value(value, connection) for field, value in zip(fields, row, strict=True))
                    for row in rows
                ],
            )


def _hold_state(hold: Hold) -> HoldState:
    return HoldState(
        hold.pk,
        hold.account_id,
        hold.unit,
        hold.authorised_minor,
        hold.captured_minor,
        hold.released_minor,
        hold.state,
        hold.placed_at,
        hold.expires_at,
    )


def _load_lots(book: Book, needs: Needs) -> None:
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


def _load_past(book: Book, needs: Needs) -> None:
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


def stored(journal: Journal) -> Stored:
    return Stored(journal.pk, bytes(journal.request_hash), journal.recorded_at, journal.refusal)
