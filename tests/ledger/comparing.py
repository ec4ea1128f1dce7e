"""Doing an act to the ledger and to the model, and comparing every row of what comes of it."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.db import connection
from django.db.models import Max, Model

from paymentsite.core import clock
from paymentsite.core.acts import attempt
from paymentsite.core.errors import DomainError, Refused
from paymentsite.ledger import models
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Posted
from tests.ledger import model, model_acts
from tests.ledger.setting import (
    CHANGING,
    COLUMNS,
    TABLES,
    Balance,
    Book,
    Hold,
    HoldEvent,
    Journal,
    Lot,
    LotUse,
    Outcome,
    Posting,
    Row,
    Setting,
    Unsealed,
)


class Abandoned(Refused):
    """Said by a caller's act that gives up after all."""

    code = "test_abandoned"
    sentence = "Not today."


class Comparing(Setting):
    """What the ledger answers is what the model answers; what it wrote is what the model says, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.readers = {table: self.reader(table, how) for table, how in TABLES.items()}
        self.book = self.read()

    def ask(self, draft: Draft, *, inside: int = 0, ending: Callable[[], None] | None = None) -> Outcome:
        """What ``post`` answers, ``inside`` so many acts of a caller; the innermost of them ends with ``ending``."""

        def work() -> Posted:
            answer = ledger.post(
                *draft.entries,
                reference=draft.reference,
                scope=draft.scope,
                kind=draft.kind,
                occurred_at=draft.occurred_at,
                parent=draft.parent,
                source=draft.source,
                details=draft.details,
            )
            if ending:
                ending()
            return answer

        for _ in range(inside):
            work = _act(work)
        with clock.standing(self.now):
            try:
                return work()
            except DomainError as refusal:
                return refusal

    def do(self, draft: Draft, *, inside: int = 0) -> None:
        self.settle([(draft, self.ask(draft, inside=inside))])

    def settle(self, answered: list[tuple[Draft, Outcome]]) -> None:
        """Have the model decide what the ledger was asked for the first time, and look at everything."""
        before, self.book = self.book, self.read()
        new: Book = {table: {} for table in TABLES}
        for draft, answer in answered:
            self.learn(draft, answer, new)
        self.compare(before, new)

    def learn(self, draft: Draft, answer: Outcome, new: Book) -> None:
        self.past.append((draft, answer))
        journal = self.journal(draft)
        new[Journal][journal.pk] = self.book[Journal][journal.pk]
        new[Unsealed][journal.pk] = (journal.pk,)
        act = model_acts.post(self.books, draft, self.now, self.day(0))
        if isinstance(act, model.Refused):
            self.met.things[act.code] += 1
            assert said(answer) == (act.code, act.facts)
            assert (journal.outcome, journal.refusal["code"]) == ("refused", act.code)
            return
        self.met.things.update([type(entry).__name__ for entry in draft.entries])
        assert isinstance(answer, Posted), (said(answer), act)
        assert (answer.replayed, answer.journal_id, answer.recorded_at) == (False, journal.pk, self.now)
        assert answer.balances == act.balances
        assert (journal.outcome, journal.refusal, journal.recorded_at) == ("posted", None, self.now)
        self.books.holds.update(zip(answer.holds, act.holds, strict=True))
        self.expect(journal.pk, act, new)

    def journal(self, draft: Draft) -> Journal:
        keys = [row[0] for row in self.book[Journal].values() if row[2:4] == (draft.scope, draft.reference)]
        assert len(keys) == 1, f"{draft.reference} is recorded {len(keys)} times"
        journal: Journal = self.row(Journal, keys[0])
        return journal

    def expect(self, journal_id: Any, act: model.Act, new: Book) -> None:
        """The rows that the act must have left are those that it left."""
        holds = {id(hold): key for key, hold in self.books.holds.items()}
        postings = self.rows_of(Posting, journal_id)
        assert [row[2:] for row in postings] == [
            (p.position, self.by_id[p.source].unit, p.source, p.target, p.amount, *p.sides, p.reverses)
            for p in act.postings
        ]
        self.books.postings.update(zip([row[0] for row in postings], act.postings, strict=True))
        events = self.rows_of(HoldEvent, journal_id)
        assert [(row[3], row[4], row[1], *row[5:]) for row in events] == [
            (position, kind, holds[id(hold)], minor, until) for position, kind, hold, minor, until in act.events
        ]
        lots = {row[0]: (row[1], row[2], row[3], row[4]) for row in self.book[Lot].values()}
        uses = self.rows_of(LotUse, journal_id)
        assert [(row[3], row[5], lots[row[1]], row[4], row[6]) for row in uses] == [
            (position, kind, lot, hold and holds[id(hold)], minor) for position, kind, lot, hold, minor in act.uses
        ]
        for table, rows in ((Posting, postings), (HoldEvent, events), (LotUse, uses)):
            new[table] |= {row[0]: row for row in rows}

    def rows_of(self, table: type[Model], journal_id: Any) -> list[Row]:
        """What a journal left in a table, in the order of its entries."""
        journal, position = COLUMNS[table].index("journal_id"), COLUMNS[table].index("position")
        rows = [row for row in self.book[table].values() if row[journal] == journal_id]
        return sorted(rows, key=lambda row: (row[position], row[0]))

    def compare(self, before: Book, new: Book) -> None:
        """What was there is there unchanged, what is new is what must be, and the rest is as the model says."""
        for table in TABLES:
            if table not in CHANGING:
                assert self.book[table] == before[table] | new[table], table
        if not new[Posting] and not new[HoldEvent] and not new[models.AccountEvent]:
            assert all(self.book[table] == before[table] for table in CHANGING)
        assert {key: row[1:] for key, row in self.book[Balance].items()} == {
            key: (
                account.posted if account.strict else self.rolled_up[key],
                account.held,
                account.floor,
                account.seq,
                account.status,
            )
            for key, account in self.books.accounts.items()
        }
        assert {key: (row[1], *row[3:7], row[8]) for key, row in self.book[Hold].items()} == {
            key: (hold.account, hold.authorised, hold.captured, hold.released, hold.state, hold.expires_at)
            for key, hold in self.books.holds.items()
        }
        assert {row[1:5]: row[5:] for row in self.book[Lot].values()} == {
            key: (lot.issued, lot.used, lot.expired, lot.held) for key, lot in self.books.lots.items()
        }

    def reader(self, table: type[Model], how: str) -> Callable[[], Callable[[], list[Row]]]:
        """What reads the history's rows of a table, laid out once: after each of a million steps it counts."""
        rows = table._default_manager.all()
        if self.commits:
            match how:
                case "account__gte":
                    mark: Any = min(self.by_id)
                case "pk__gt":
                    mark = rows.aggregate(last=Max("pk"))["last"] or 0
                case _:
                    mark = self.name
            rows = rows.filter(**{how: mark})
        compiler = rows.values_list(*COLUMNS[table]).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])

        def ask() -> Callable[[], list[Row]]:
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return lambda: [tuple(row) for row in compiler.apply_converters(cursor.fetchall(), converters)]

        return ask

    def read(self) -> Book:
        """Every row; PostgreSQL is asked for all tables before the first one answers."""
        at_once = connection.connection.pipeline() if connection.vendor == "postgresql" else nullcontext()
        with at_once:
            asked = {table: ask() for table, ask in self.readers.items()}
            return {table: {row[0]: row for row in answer()} for table, answer in asked.items()}

    def told(self) -> None:
        """What changes accounts writes events of accounts alone."""
        before, self.book = self.book, self.read()
        events = models.AccountEvent
        before = {**before, events: {key: row for key, row in self.book[events].items() if key in before[events]}}
        new: Book = {table: {} for table in TABLES}
        new[events] = {key: row for key, row in self.book[events].items() if key not in before[events]}
        self.compare(before, new)


def said(answer: Outcome | None) -> tuple[str, dict[str, Any]]:
    assert isinstance(answer, DomainError), answer
    return answer.code, answer.facts


def assert_same(repeated: Outcome, first: Outcome) -> None:
    """A repetition is answered as the first time, and says that it is one."""
    if isinstance(first, Posted):
        assert repeated == first
        assert isinstance(repeated, Posted)
        assert repeated.replayed
    else:
        assert said(repeated) == said(first)


def _act(work: Callable[[], Posted]) -> Callable[[], Posted]:
    return lambda: attempt(work)


def give_up() -> None:
    raise Abandoned
