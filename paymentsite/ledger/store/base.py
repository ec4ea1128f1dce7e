"""What the ledger needs of a database; the two that speak it stand beside this module."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from paymentsite.ledger.book import BalanceState, Book, Effects, HoldState, LotState
from paymentsite.ledger.canon import JournalFacts
from paymentsite.ledger.models import Hold, HoldEvent, Journal, Lot, LotUse
from paymentsite.ledger.store.loading import load_lots, load_past
from paymentsite.ledger.store.needs import Needs

Key = tuple[str, str]  # scope and reference


class Stored(NamedTuple):
    """An act that was decided before."""

    id: UUID
    request_hash: bytes
    recorded_at: datetime
    refusal: dict[str, Any] | None


@dataclass(slots=True)
class Written:
    """One decided act on its way into the database: effects when it was accepted, none when it was refused."""

    journal: JournalFacts
    digest: bytes
    effects: Effects | None


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
            load_lots(book, needs)
        if needs.postings:
            load_past(book, needs)
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


def stored(journal: Journal) -> Stored:
    return Stored(journal.pk, bytes(journal.request_hash), journal.recorded_at, journal.refusal)
