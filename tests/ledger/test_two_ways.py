"""The one statement, the few statements and COPY write the same: they differ in speed alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.ledger import canon
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Account, Balance, Hold, Journal, Unsealed
from paymentsite.ledger.services import Move, Place, Release, Terms, recording
from paymentsite.ledger.store import swift
from tests.examples import some
from tests.factories import cny, hold, hot, points, pts, purse

STATUSES = ("open", "open", "open", "no_debit", "frozen")
ACCOUNTS = 6

wish = st.tuples(st.integers(0, 3), st.integers(0, ACCOUNTS - 1), st.integers(1, ACCOUNTS - 1), st.integers(1, 60))
# An act of its own, one before asked for again, or its reference used for another; and whether it must be.
again = st.sampled_from(["new", "new", "new", "again", "again", "other"])
asked = st.tuples(again, st.integers(0, 7), st.booleans(), st.lists(wish, min_size=1, max_size=10))
acts = st.lists(asked, min_size=1, max_size=10)
Wish = tuple[int, int, int, int]
Asked = tuple[str, int, bool, list[Wish]]


class Book:
    """One set of accounts, and what was answered about it; told without the ids that are its own."""

    def __init__(self, scope: str, statuses: list[str]) -> None:
        self.scope, self.now = scope, clock.now()
        self.accounts: list[Account] = [
            purse(50),
            purse(20, floor_minor=-30),
            purse(floor_minor=None),
            purse(100),
            hot(),
            hot(),
        ]
        for account, status in zip(self.accounts, statuses, strict=True):
            Balance.objects.filter(pk=account.pk).update(status=status)
        self.names = {str(a.public_id): f"account {n}" for n, a in enumerate(self.accounts)}
        self.numbers = {a.pk: n for n, a in enumerate(self.accounts)}

    def drafts(self, acts: list[Asked]) -> list[Draft]:
        known: list[tuple[int, list[Wish]]] = []
        drafts = []
        for number, (what, back, must, wishes) in enumerate(acts):
            reference, first = known[-1 - back % len(known)] if known and what != "new" else (number, wishes)
            known.append((reference, first if what == "again" else wishes))
            drafts.append(replace(self.draft(*known[-1]), must=must))
        return drafts

    def draft(self, reference: int, wishes: list[Wish]) -> Draft:
        entries = [self.entry(*wish) for wish in wishes]
        fields = {"kind": "payment", "source": "test:1", "details": {"n": reference}} if reference % 2 else {}
        return Draft(entries=tuple(entries), reference=f"{reference}", scope=self.scope, **fields)

    def entry(self, kind: int, one: int, step: int, minor: int) -> Entry:
        source, target = self.accounts[one], self.accounts[(one + step) % ACCOUNTS]
        if kind == 0 and source.mode == "strict":
            return Place(cny(minor), source, self.now + timedelta(hours=step) if step % 2 else None)
        return Move(cny(minor), source, target)

    def told(self, answer: Posted | DomainError) -> Any:
        if isinstance(answer, Posted):
            return {self.numbers[pk]: left for pk, left in answer.balances.items()}, len(answer.holds), answer.replayed
        return answer.code, self.plain(answer.facts)

    def plain(self, facts: Any) -> Any:
        return {name: self.names.get(str(fact), fact) for name, fact in facts.items()}

    def rows(self) -> Any:
        journals = Journal.objects.filter(scope=self.scope).order_by("reference")
        return [self.row(journal) for journal in journals], [
            (b.posted_minor, b.held_minor, b.floor_minor, b.seq, b.status)
            for b in Balance.objects.filter(account__in=self.accounts).order_by("pk")
        ]

    def row(self, journal: Journal) -> Any:
        assert bytes(journal.digest) == recomputed(journal)
        assert Unsealed.objects.filter(journal=journal).exists()
        refusal = journal.refusal and (journal.refusal["code"], self.plain(journal.refusal["facts"]))
        head = (journal.kind, journal.outcome, journal.reference, journal.actor, journal.parent_id, journal.source)
        postings = [
            (p.position, p.unit, self.numbers[p.source_id], self.numbers[p.target_id], p.amount_minor, *sides(p))
            for p in journal.postings.order_by("position")
        ]
        holds = [
            (e.position, e.kind, e.amount_minor, self.after(e.expires_at), *self.hold(e.hold, journal))
            for e in journal.hold_events.select_related("hold").order_by("position")
        ]
        return *head, journal.details, refusal, postings, holds

    def hold(self, hold: Hold, journal: Journal) -> tuple[Any, ...]:
        amounts = (hold.authorised_minor, hold.captured_minor, hold.released_minor)
        at = (self.after(hold.expires_at), hold.placed_at == journal.recorded_at)
        return self.numbers[hold.account_id], hold.unit, hold.state, *amounts, *at

    def after(self, moment: datetime | None) -> timedelta | None:
        return moment and moment - self.now


sides = attrgetter("source_seq", "source_balance_minor", "target_seq", "target_balance_minor", "reverses_id")


def recomputed(journal: Journal) -> bytes:
    """The digest of what stands in the database."""
    facts = canon.JournalFacts(*(getattr(journal, name) for name in canon.JournalFacts._fields))
    return canon.digest(
        facts._replace(request_hash=bytes(journal.request_hash)),
        [
            canon.PostingFacts(*(getattr(p, name) for name in canon.PostingFacts._fields))
            for p in journal.postings.all()
        ],
        [
            canon.HoldFacts(e.position, e.kind, e.hold_id, e.hold.account_id, e.amount_minor, e.expires_at)
            for e in journal.hold_events.select_related("hold")
        ],
    )


def post(draft: Draft) -> Posted | DomainError:
    fields = {"kind": draft.kind, "source": draft.source, "details": draft.details, "must": draft.must}
    try:
        return ledger.post(*draft.entries, reference=draft.reference, scope=draft.scope, **fields)
    except DomainError as refusal:
        return refusal


def compare(acts: list[Asked], statuses: list[str], run: str) -> None:
    singly, few, many = (Book(f"{way} {run}", statuses) for way in ("singly", "few", "many"))
    padding = [
        Draft(entries=(Move(cny(1), hot(), hot()),), reference=f"{n}", scope=f"padding {run}") for n in range(20)
    ]

    one_by_one = [post(draft) for draft in singly.drafts(acts)]
    alone = [ledger.post_many([draft])[0] for draft in few.drafts(acts)]
    together = ledger.post_many([*many.drafts(acts), *padding])

    told = [singly.told(answer) for answer in one_by_one]
    assert told == [few.told(answer) for answer in alone]
    assert told == [many.told(answer) for answer in together[: len(acts)]]
    assert singly.rows() == few.rows() == many.rows()


runs = count()
ample = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.django_db
@settings(ample, max_examples=some(25))
@given(acts, st.lists(st.sampled_from(STATUSES), min_size=ACCOUNTS, max_size=ACCOUNTS))
def test_every_way_writes_the_same_and_answers_the_same(acts, statuses):
    compare(acts, statuses, run=f"run {next(runs)}")


@pytest.mark.django_db(transaction=True)
@settings(ample, max_examples=some(8))
@given(acts, st.lists(st.sampled_from(STATUSES), min_size=ACCOUNTS, max_size=ACCOUNTS))
def test_every_way_is_the_same_where_each_act_commits_by_itself(acts, statuses):
    compare(acts, statuses, run=f"committed run {next(runs)}")


def simple(legs: int) -> Draft:
    return Draft(entries=(Move(cny(1), hot(), purse()),) * legs, reference="r")


@pytest.mark.django_db
@pytest.mark.parametrize(("legs", "carried"), [(1, True), (8, True), (9, False)])
def test_one_statement_carries_a_few_moves(legs, carried):
    assert (swift.lay_out(simple(legs), lambda: UUID(int=1)) is not None) is carried


@pytest.mark.django_db
def test_one_statement_carries_holds_but_nothing_with_lots_nor_with_a_past():
    account, lots = purse(10), points()
    carried = [Place(cny(1), account), Move(cny(1), account, hot())]
    others = [
        Place(pts(1), lots),
        Move(pts(1), lots, hot(unit="PTS")),
        Move(pts(1), hot(unit="PTS"), lots, Terms("x")),
        Release(hold(account, 1)),
    ]

    def laid_out(entry: Entry) -> bool:
        return swift.lay_out(Draft(entries=(entry,), reference="r"), lambda: UUID(int=1)) is not None

    assert [laid_out(entry) for entry in [*carried, *others]] == [True, True, False, False, False, False]


@pytest.mark.django_db
def test_simple_act_takes_the_one_statement_where_there_is_one():
    answer = recording.record_swiftly(recording.Slip.of(simple(1)))

    assert isinstance(answer, Posted) is (connection.vendor == "postgresql")
