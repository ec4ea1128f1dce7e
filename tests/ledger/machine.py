"""Histories: random acts done to the ledger and to the model, every row compared after every step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import models, queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Posted
from paymentsite.ledger.services import Move, Place, Undo
from tests.ledger.comparing import Abandoned, Comparing, assert_same, give_up, said
from tests.ledger.setting import (
    HOT,
    TABLES,
    UNITS,
    Account,
    Balance,
    Book,
    Journal,
    Outcome,
    Posting,
    Unsealed,
    Wish,
    amounts,
    contradict,
    small,
    wishes,
)


class Histories(Comparing):
    """Each history runs in a transaction that is rolled back, so that the whole book is its own."""

    @invariant()
    def one_step_more(self) -> None:
        self.met.steps += 1

    @initialize(minors=st.lists(st.integers(0, 120), min_size=8, max_size=8))
    def beginning(self, minors: list[int]) -> None:
        """Something for nearly everyone, so that more than refusals happens."""
        drafts = []
        for number, minor in enumerate(minors):
            target = self.account(("CNY", "PTS")[number % 2], number // 2 % 3)
            world = next(a for a in self.accounts[target.unit] if a.mode == Account.Mode.DEFERRED)
            if minor:
                drafts.append(self.draft(Move(Money(minor, target.unit), world, target, self.terms(target, number))))
        with clock.standing(self.now):
            self.settle(list(zip(drafts, ledger.post_many(drafts), strict=True)))

    @rule(wish=wishes, inside=st.integers(0, 2))
    def one_entry(self, wish: Wish, inside: int) -> None:
        self.do(self.draft(self.entry(wish)), inside=inside)

    @rule(first=wishes, rest=st.lists(wishes, max_size=4))
    def several_entries(self, first: Wish, rest: list[Wish]) -> None:
        self.do(self.draft(*map(self.entry, (first, *rest))))

    @rule(number=small, minor=amounts, how=small)
    def funding(self, number: int, minor: int, how: int) -> None:
        unit = UNITS[how]
        world = next(account for account in self.accounts[unit] if account.mode == Account.Mode.DEFERRED)
        targets = [account for account in self.accounts[unit] if account is not world]
        target = targets[number % len(targets)]
        self.do(self.draft(Move(Money(minor * 3, unit), world, target, self.terms(target, number))))

    @rule(one=small, other=small, minor=amounts)
    def payment_with_fee(self, one: int, other: int, minor: int) -> None:
        source, target = self.two("CNY", one, other)
        fees = next(account for account in reversed(self.accounts["CNY"]) if account not in {source, target})
        amount = Money(minor, "CNY")
        fee = amount.split([97, 3])[1]
        legs = [Move(amount, source, target)]
        self.do(self.draft(*legs, *([Move(fee, target, fees)] if fee.minor else []), kind="payment", source="test:1"))

    @rule(one=small, other=small, minor=amounts)
    def exchange(self, one: int, other: int, minor: int) -> None:
        source, position = self.two("CNY", one, 4)
        bought, target = self.two("EUR", 1, other)
        self.do(
            self.draft(
                Move(Money(minor, "CNY"), source, position),
                Move(Money(minor // 7 + 1, "EUR"), bought, target),
                kind="exchange",
            )
        )

    @rule(number=small, minor=amounts, how=small, hours=st.sampled_from([None, 1, 6, 50]))
    def new_hold(self, number: int, minor: int, how: int, hours: int | None) -> None:
        accounts = [account for account in self.accounts[UNITS[how]] if account.mode == Account.Mode.STRICT]
        account = accounts[number % len(accounts)]
        until = None if hours is None else self.now + timedelta(hours=hours)
        self.do(self.draft(Place(Money(minor, account.unit), account, until)))

    @precondition(lambda self: self.books.holds)
    @rule(
        number=small,
        kind=st.integers(9, 15),
        other=small,
        minor=amounts,
        how=small,
        hours=st.sampled_from([0, 0, 1, 50]),
    )
    def life_of_a_hold(self, number: int, kind: int, other: int, minor: int, how: int, hours: int) -> None:
        self.time_passes(hours)
        self.do(self.draft(self.about(self.hold(number), kind, other, minor, how)))

    @precondition(lambda self: self.books.postings)
    @rule(number=st.integers(0, 40), part=amounts)
    def reversal_of_more_than_is_left(self, number: int, part: int) -> None:
        self.reversal(number, part)
        self.reversal(number, None)

    @precondition(lambda self: self.books.postings)
    @rule(number=st.integers(0, 40), part=st.one_of(st.none(), amounts))
    def reversal(self, number: int, part: int | None) -> None:
        """Through ``ledger.reverse``; the model is told what that must ask for."""
        posting = self.posting(number)
        journal = self.row(Journal, posting.journal_id)
        postings = [self.row(Posting, row[0]) for row in reversed(self.rows_of(Posting, journal.pk))]
        for each in postings:
            each.source, each.target = self.by_id[each.source_id], self.by_id[each.target_id]
        given = None if part is None else {posting.position: Money(part, posting.unit)}
        undone = [
            Undo(each, given and given[each.position]) for each in postings if given is None or each.position in given
        ]
        draft = self.draft(*undone, kind="reversal", parent=journal.pk)
        with clock.standing(self.now):
            try:
                answer: Outcome = ledger.reverse(
                    journal=journal, reference=draft.reference, scope=draft.scope, amounts=given
                )
            except DomainError as refusal:
                answer = refusal
        self.settle([(draft, answer)])
        if self.passed_over(draft, answer):
            self.met.things["rest"] += 1

    @precondition(lambda self: self.books.postings)
    @rule(
        unit=st.sampled_from(["CNY", "PTS"]), number=small, minor=amounts, leg=st.integers(0, 1), how=st.integers(0, 6)
    )
    def rest_of_a_journal(self, unit: str, number: int, minor: int, leg: int, how: int) -> None:
        """One of two legs goes back, then all that is left, and then something else is asked under that reference."""
        world = next(account for account in self.accounts[unit] if account.mode == Account.Mode.DEFERRED)
        target = self.two(unit, self.accounts[unit].index(world), number)[1]
        move = Move(Money(minor, unit), world, target, self.terms(target, number))
        self.do(self.draft(move, move))
        self.reversal(leg, minor)
        self.reversal(1, None)
        self.contradiction(0, how)

    @rule(
        acts=st.lists(st.lists(wishes, min_size=1, max_size=3), max_size=6),
        many=st.sampled_from([0, 0, 21]),
        earlier=st.lists(small, max_size=3),
    )
    def batch(self, acts: list[list[Wish]], many: int, earlier: list[int]) -> None:
        """Repetitions of earlier acts, new ones, these again, one that contradicts; ``many`` are written by COPY."""
        first = [(self.past[-1 - number % len(self.past)]) for number in earlier if self.past]
        fresh = [self.draft(*map(self.entry, act)) for act in acts]
        if fresh:
            fresh += [self.draft(*fresh[number % len(fresh)].entries) for number in range(many)]
        again = [replace(draft, by=SYSTEM) for draft in fresh[:2]]
        odd = [replace(draft, source="other") for draft in fresh[:1]]
        with clock.standing(self.now):
            answers = ledger.post_many([*(draft for draft, _ in first), *fresh, *again, *odd])

        assert len(answers) == len(first) + len(fresh) + len(again) + len(odd)
        for (_, answer), repeated in zip(first, answers, strict=False):
            assert_same(repeated, answer)
        ours = answers[len(first) : len(first) + len(fresh)]
        self.settle(list(zip(fresh, ours, strict=True)))
        for answer, repeated in zip(ours, answers[len(first) + len(fresh) :][: len(again)], strict=False):
            assert_same(repeated, answer)
        if odd:
            assert said(answers[-1]) == ("reference_conflict", {"reference": fresh[0].reference, "fields": ["source"]})

    @rule(wish=wishes, inside=st.integers(1, 2))
    def abandoned_act(self, wish: Wish, inside: int) -> None:
        """What a caller's act gives up leaves nothing at all; a refusal inside is kept."""
        draft = self.draft(self.entry(wish))
        answer = self.ask(draft, inside=inside, ending=give_up)
        if isinstance(answer, Abandoned):
            self.met.things["abandoned"] += 1
            self.settle([])
        else:
            self.settle([(draft, answer)])

    @precondition(lambda self: self.past)
    @rule(number=st.integers(0, 40), inside=st.integers(0, 1))
    def repetition(self, number: int, inside: int) -> None:
        draft, answer = self.past[-1 - number % len(self.past)]
        assert_same(self.ask(draft, inside=inside), answer)
        self.settle([])

    @precondition(lambda self: self.past)
    @rule(number=st.integers(0, 40), how=st.integers(0, 6))
    def contradiction(self, number: int, how: int) -> None:
        draft, answer = self.past[-1 - number % len(self.past)]
        other, fields = contradict(draft, how, self.now)
        self.met.things["contradicted"] += 1
        code, facts = said(self.ask(other))
        assert (code, facts.get("reference")) == ("reference_conflict", draft.reference)
        # The books do not tell a posting that was back already from one that was not asked for.
        assert facts["fields"] == fields or self.passed_over(draft, answer)
        self.settle([])

    def passed_over(self, draft: Draft, answer: Outcome) -> bool:
        """Whether postings were back already that the act asked for the rest of."""
        if not isinstance(answer, Posted):
            return False
        undone = [row for row in self.rows_of(Posting, answer.journal_id) if row[-1] is not None]
        return len(undone) < sum(isinstance(entry, Undo) for entry in draft.entries)

    @rule(hours=st.sampled_from([1, 7, 24, 24, 49, 200]))
    def hours_pass(self, hours: int) -> None:
        self.time_passes(hours)

    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours, microseconds=1)

    @rule(
        unit=st.sampled_from(["CNY", "EUR", "PTS"]),
        fields=st.sampled_from([{}, HOT, {"floor_minor": -50}, {"floor_minor": None}]),
    )
    @precondition(lambda self: len(self.by_id) < 16)
    def opening(self, unit: str, fields: dict[str, Any]) -> None:
        self.know(self.opened(unit, len(self.by_id), **fields), fields.get("floor_minor", 0))
        assert self.opened(unit, len(self.by_id) - 1, **fields).pk in self.by_id
        self.told()

    @rule(
        unit=st.sampled_from(["CNY", "CNY", "EUR", "PTS"]),
        number=small,
        status=st.sampled_from(["open", "open", "no_debit", *Balance.Status]),
    )
    def status(self, unit: str, number: int, status: str) -> None:
        account = self.account(unit, number)
        ours = self.books.accounts[account.pk]
        answer = self.change(ledger.set_status, account=account, status=Balance.Status(status))
        posted = ours.posted if ours.strict else self.rolled_up[account.pk]
        if ours.status == status:
            assert answer is None
        elif ours.status == "closed":
            assert said(answer) == ("account_closed", {"account": ours.public_id})
        elif status == "closed" and (posted or ours.held or not ours.strict):
            code, _ = said(answer)
            assert code == "account_not_empty"
        else:
            assert answer is None
            ours.status = status
            self.met.things[status] += 1
        self.told()

    @rule(number=small, other=small, status=st.sampled_from(["no_debit", "no_debit", "frozen"]))
    def payment_by_one_who_may_not(self, number: int, other: int, status: str) -> None:
        source, target = self.two("CNY", number, other)
        self.status("CNY", number, status)
        self.do(self.draft(Move(Money(1, "CNY"), source, target)))
        self.status("CNY", number, "open")

    @rule(number=small, other=small, more=st.integers(1, 50))
    def payment_of_more_than_there_is(self, number: int, other: int, more: int) -> None:
        source, target = self.two("CNY", number % 3, other)
        ours = self.books.accounts[source.pk]
        left = ours.posted - ours.held - (ours.floor or 0)
        self.do(self.draft(Move(Money(max(left, 0) + more, "CNY"), source, target)))

    @rule(
        unit=st.sampled_from(["CNY", "CNY", "EUR", "PTS"]),
        number=small,
        floor=st.one_of(st.none(), st.integers(-60, 20)),
    )
    def floor(self, unit: str, number: int, floor: int | None) -> None:
        account = self.account(unit, number)
        ours = self.books.accounts[account.pk]
        answer = self.change(ledger.set_floor, account=account, floor_minor=floor)
        if not ours.strict:
            assert said(answer) == ("deferred_has_no_floor", {"account": ours.public_id})
        elif floor is not None and ours.posted - ours.held < floor:
            assert said(answer) == ("floor_not_met", {"account": ours.public_id})
        else:
            assert answer is None
            ours.floor = floor
        self.told()

    def change(self, service: Callable[..., None], **fields: Any) -> DomainError | None:
        with clock.standing(self.now):
            try:
                service(by=SYSTEM, reason="test", **fields)
            except DomainError as refusal:
                return refusal
        return None

    @rule(size=st.sampled_from([1, 3, 8_192]))
    def sealing(self, size: int) -> None:
        with clock.standing(self.now):
            ledger.close_blocks(size=size)
        before, self.book = self.book, self.read()
        assert self.book[Unsealed] == {}
        assert self.book[models.Leaf].keys() == self.book[Journal].keys()
        self.rolled_up = {key: 0 if account.strict else account.posted for key, account in self.books.accounts.items()}
        apart = {Unsealed: {}, models.Leaf: self.book[models.Leaf], Balance: self.book[Balance]}
        new: Book = {table: {} for table in TABLES}
        self.compare({**before, **apart}, new)

    @rule()
    def standings(self) -> None:
        with clock.standing(self.now):
            found = queries.standings(self.by_id.values())
        assert {key: (s.posted.minor, s.held.minor, s.status) for key, s in found.items()} == {
            key: (account.posted, account.held, account.status) for key, account in self.books.accounts.items()
        }
        assert {key: s.available and s.available.minor for key, s in found.items()} == {
            key: None if a.floor is None else a.posted - a.held - a.floor for key, a in self.books.accounts.items()
        }


class CommittedHistories(Histories):
    """Each act commits by itself, as in production; the rows of earlier histories stay."""

    commits = True
