"""How a decided act gets into the books, and how a repeated one finds its first answer."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connection, connections, transaction

from paymentsite.core import clock
from paymentsite.core.acts import TRIES, Transaction, attempt, begins_again, check_committed, pause
from paymentsite.core.errors import DomainError
from paymentsite.core.ids import uuid7
from paymentsite.ledger import canon, queries, store
from paymentsite.ledger.book import Book, Effects
from paymentsite.ledger.canon import JournalFacts, PostingFacts
from paymentsite.ledger.entries import Draft, Posted
from paymentsite.ledger.refusals import Unposted
from paymentsite.ledger.rules import Moment, decide
from paymentsite.ledger.store import Key, Needs, Pen, Store, Stored, Written, swift

R = TypeVar("R")
Outcome = Posted | DomainError

_ONCE: Final = "ledger_journal_once"
_PART: Final = 500


@dataclass(slots=True)
class Slip:
    """A draft with all that is settled about its journal before the books are opened."""

    draft: Draft
    now: datetime
    journal: JournalFacts

    @classmethod
    def of(cls, draft: Draft, now: datetime | None = None, ids: Iterator[UUID] | None = None) -> "Slip":
        now = now or clock.now()
        facts = JournalFacts(
            uuid7(now) if ids is None else next(ids),
            draft.kind,
            draft.scope,
            draft.reference,
            canon.request_hash(draft),
            now if draft.occurred_at is None else draft.occurred_at.astimezone(UTC),
            now,
            str(draft.by),
            draft.parent,
            draft.source,
            draft.details,
            None,
        )
        return cls(draft, now, facts)

    @property
    def key(self) -> Key:
        return (self.draft.scope, self.draft.reference)

    def moment(self) -> Moment:
        return Moment(self.now, clock.day_of(self.now), partial(uuid7, self.now))

    def accepted(self, effects: Effects) -> Written:
        return Written(self.journal, self.digest(effects), effects)

    def refused(self, refusal: DomainError) -> Written:
        facts = {"code": refusal.code, "facts": refusal.facts, "asked": canon.asked(self.draft)}
        journal = self.journal._replace(refusal=facts)
        return Written(journal, canon.digest(journal), None)

    def digest(self, effects: Effects) -> bytes:
        postings = [
            PostingFacts(p.position, p.unit, p.source_id, p.target_id, p.amount, p.reverses_id)
            for p in effects.postings
        ]
        return canon.digest(self.journal, postings, effects.holds, effects.lots)

    def same_as(self, first: Stored) -> bool:
        return bytes(first.request_hash) == self.journal.request_hash


def record(slips: Sequence[Slip]) -> list[Outcome]:
    """Read under lock, decide one after the other, write together: an answer or a refusal for each."""
    books = store.here()
    needs = Needs.of(slip.draft for slip in slips)
    return _until_decided(partial(_record, slips, needs, books), within=partial(books.transaction, needs))


def record_swiftly(slip: Slip) -> Outcome | None:
    """The same for one simple act on PostgreSQL, in one statement; None when this act needs more."""
    here = connections[DEFAULT_DB_ALIAS]  # asked once: this is the hottest path of all
    if here.vendor != "postgresql":
        return None
    plan = swift.lay_out(slip.draft, partial(uuid7, slip.now))
    if plan is None:
        return None

    digest = canon.digest(slip.journal, plan.postings, plan.holds)
    for tries in range(TRIES):
        try:
            with here.wrap_database_errors:
                saw = swift.run(plan, slip.journal, digest)
        except DatabaseError as error:
            if here.in_atomic_block or tries == TRIES - 1 or not begins_again(error):
                raise
            pause(tries)
            continue
        # Also when it was done before: the repetition waits for the standby as the first one did.
        check_committed()
        if saw.written:
            placed = tuple([hold.hold_id for hold in plan.holds])
            return Posted(slip.journal.id, slip.now, swift.completed(plan, saw), placed)
        if first := store.here().find([slip.key]).get(slip.key):
            return _again(slip, first, queries.answers([first]))
        if (refusal := _refusal(slip, saw)) and (slip.draft.must or keep(slip, refusal)):
            return refusal
    raise AssertionError("a reference that conflicts can be read")


def keep(slip: Slip, refusal: DomainError) -> bool:
    """Store the refusal of an act; False when its reference was decided in the meantime: that is the answer then.

    An act that names what went back with it (a hold placed, an account opened just before) can never be asked for in
    the same words again: nothing is stored, and asked again it is decided afresh.
    """

    def write() -> bool:
        with connection.wrap_database_errors:
            if store.here().find([slip.key]):
                return False
            if not store.all_there(slip.draft):
                return True
            with store.here().writing() as pen:
                pen.put([slip.refused(refusal)])
        return True

    return _until_decided(write)


def _keep_again(slip: Slip, refusal: DomainError) -> bool:
    """The same for a refusal met again: it stands, unless the act that is rolled back was the one that wrote it."""
    first = store.here().find([slip.key]).get(slip.key)
    if first is None:
        return keep(slip, refusal)
    return first.refusal is not None and slip.same_as(first)


def _until_decided(work: Callable[[], R], within: Transaction = transaction.atomic) -> R:
    """Do ``work`` as an act. Where another writer took a reference in between, it is done again and finds that."""
    for left in range(TRIES - 1, -1, -1):
        try:
            return attempt(work, within)
        except IntegrityError as error:
            if not left or _ONCE not in str(error):
                raise
    raise AssertionError("the last try returns or raises")


def _record(slips: Sequence[Slip], needs: Needs, books: Store) -> list[Outcome]:
    with books.connection.wrap_database_errors, uncollected():
        book = books.load(needs)
        answered = _answered_before(slips, books)

        outcomes: list[Outcome] = []
        decided: dict[Key, tuple[Slip, Outcome]] = {}
        moment = slips[0].moment()
        with books.writing() as pen:
            page = _Written(pen)
            for slip, answer in zip(slips, answered, strict=True):
                if answer is not None:
                    outcome = answer
                elif earlier := decided.get(slip.key):
                    outcome = _same_batch(slip, *earlier)
                else:
                    outcome = _decide(book, slip, moment, page)
                    # As one by one: a refusal of what must be booked takes no reference.
                    if isinstance(outcome, Posted) or not slip.draft.must:
                        decided[slip.key] = (slip, outcome)
                outcomes.append(outcome)
            page.close(book)
        books.write_rest(page.all, book)
    return outcomes


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the cycle collector away: a batch makes many objects and no cycles, and it looks at all, again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Written:
    """Decided acts on their way out, in parts, so that the database writes one while the next is being decided."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.all: list[Written] = []
        self.put = 0

    def add(self, written: Written) -> None:
        self.all.append(written)
        if len(self.all) - self.put == _PART:
            self.flush()

    def flush(self) -> None:
        if part := self.all[self.put :]:
            self.pen.put(part)
            self.put = len(self.all)

    def close(self, book: Book) -> None:
        self.flush()
        changed = {key for w in self.all if w.effects for key in w.effects.touched}
        self.pen.settle([book.balances[key] for key in sorted(changed)])


def _answered_before(slips: Sequence[Slip], books: Store) -> list[Outcome | None]:
    """What each act was answered when it was decided before, or the conflict with what was; None for a new one."""
    known = books.find([slip.key for slip in slips])
    if not known:
        return [None] * len(slips)
    before = queries.answers(known.values())
    return [None if (first := known.get(slip.key)) is None else _again(slip, first, before) for slip in slips]


def _again(slip: Slip, first: Stored, before: Mapping[UUID, Outcome]) -> Outcome:
    if not slip.same_as(first):
        return queries.conflict(slip.draft, first)
    outcome = before[first.id]
    if isinstance(outcome, DomainError):
        outcome.keep = partial(_keep_again, slip, outcome)
    return outcome


def _decide(book: Book, slip: Slip, moment: Moment, page: _Written) -> Outcome:
    try:
        effects = decide(book, slip.draft, moment)
    except Unposted as refusal:
        if not slip.draft.must:
            page.add(slip.refused(refusal))
            refusal.keep = partial(keep, slip, refusal)
        return refusal
    page.add(slip.accepted(effects))
    return Posted(slip.journal.id, slip.now, effects.balances, tuple(effects.placed))


def _same_batch(slip: Slip, first: Slip, outcome: Outcome) -> Outcome:
    if slip.journal.request_hash != first.journal.request_hash:
        return queries.conflict_between(slip.draft, first.draft)
    return replace(outcome, replayed=True) if isinstance(outcome, Posted) else outcome


def _refusal(slip: Slip, saw: swift.Saw) -> DomainError | None:
    """The refusal that follows from what the statement saw; None when it would be accepted by now."""
    book = Book(accounts=Needs.of([slip.draft]).accounts)
    book.balances = {state.account_id: state for state in saw.balances}
    try:
        decide(book, slip.draft, slip.moment())
    except Unposted as refusal:
        if not slip.draft.must:
            refusal.keep = partial(keep, slip, refusal)
        return refusal
    return None
