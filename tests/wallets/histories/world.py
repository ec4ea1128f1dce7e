"""What every history of wallets stands on: members with wallets, a plain model of them, and the comparison of both.

A noun adds its acts as a mixin beside this: rules that say what must be answered, do it, and change the model. Nothing
in the model knows how the site keeps its books.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol, TypeVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from members.models import Member
from members.services import members
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.ledger.models import Balance
from tests.ledger.soundness import assert_sound
from tests.members.factories import member
from tests.wallets.conftest import read_rows
from tests.wallets.factories import wallet
from wallets.models import Wallet
from wallets.services import wallets

STAFF = Actor("staff", "0")
DONE = "done"
BEGIN = datetime(2031, 1, 1, tzinfo=UTC)
PEOPLE = 4

who = st.integers(0, PEOPLE - 1)
# Mostly two different people, sometimes the same one twice.
pairs = st.tuples(who, st.sampled_from([1, 1, 2, 3, 1, 2, 3, 0])).map(lambda two: (two[0], sum(two) % PEOPLE))
amounts = st.integers(1, 120)
some = st.integers(0, 30)


class Row(Protocol):
    """What a history made and may end."""

    state: str


RowT = TypeVar("RowT", bound=Row)


@dataclass
class Person:
    """A member in the model: what is theirs, what of that is set aside, and whether they may act."""

    number: int
    posted: int
    held: int = 0
    suspended: bool = False
    frozen: bool = False

    @property
    def available(self) -> int:
        return self.posted - self.held

    def cannot_spend(self, minor: int) -> str:
        """Why they cannot, in the code of the refusal; nothing when they can."""
        if self.suspended:
            return "member_suspended"
        if self.frozen:
            return "wallet_frozen"
        return "" if minor <= self.available else "insufficient_funds"


@dataclass
class Met:
    """What histories came across, so that those that meet nothing do not pass for good ones."""

    histories: int = 0
    steps: int = 0
    answers: Counter[str] = field(default_factory=Counter)


class World(RuleBasedStateMachine):
    """Each history runs in a transaction that is rolled back."""

    met: ClassVar[Met] = Met()

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.count = 0
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.met.histories += 1

    def teardown(self) -> None:
        try:
            self.look_back()
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    def look_back(self) -> None:
        """What must be true of the whole history, once it is over."""
        assert_sound()
        assert verification.discover().run(only=["wallets"]).findings == []

    @initialize(minors=st.lists(st.integers(0, 300), min_size=PEOPLE, max_size=PEOPLE))
    def beginning(self, minors: list[int]) -> None:
        self.people = [Person(number, minor) for number, minor in enumerate(minors)]
        with clock.standing(self.now):
            self.purses: list[Wallet] = [wallet(minor, of=member(handle=None)) for minor in minors]

    def member(self, number: int) -> Member:
        return Member.objects.get(pk=self.purses[number].member_id)

    def actor(self, number: int) -> Actor:
        return Actor(kind="member", key=str(self.purses[number].member_id))

    def one_of(self, rows: list[RowT], number: int) -> RowT:
        """One of what this history made; every other time one that is still open, if any is."""
        still = [row for row in rows if row.state == "open"] if number % 2 else []
        return (still or rows)[number // 2 % len(still or rows)]

    def reference(self) -> str:
        self.count += 1
        return f"act {self.count}"

    def do(self, name: str, act: Callable[[], Any], *, expected: str) -> Any:
        """Do it, at this history's time, and hear what must be heard; what is refused has changed nothing."""
        before = read_rows() if expected != DONE else None
        answer = None
        with clock.standing(self.now):
            try:
                answer = act()
            except DomainError as refusal:
                heard = refusal.code
            else:
                heard = DONE

        assert heard == expected, f"{name}: {heard}, not {expected}"
        if before is not None:
            assert read_rows() == before, f"{name} was refused and changed something"
        self.met.answers[f"{name} {heard}"] += 1
        return answer

    def again(self, name: str, act: Callable[[], Any]) -> Any:
        """Do once more what was done: nothing changes."""
        before = read_rows()
        answer = self.do(name, act, expected=DONE)
        assert read_rows() == before, f"{name} once more changed something"
        return answer

    @rule(one=who, on=st.booleans())
    def membership(self, one: int, on: bool) -> None:  # noqa: FBT001  Hypothesis names it
        change = members.suspend if on else members.resume
        self.do("membership", lambda: change(member=self.member(one), by=STAFF, reason="history"), expected=DONE)
        self.people[one].suspended = on

    @rule(one=who, on=st.booleans())
    def frost(self, one: int, on: bool) -> None:  # noqa: FBT001  Hypothesis names it
        change = wallets.freeze if on else wallets.thaw
        self.do("frost", lambda: change(wallet=self.purses[one], by=STAFF, reason="history"), expected=DONE)
        self.people[one].frozen = on

    @rule(days=st.sampled_from([0, 0, 0, 1, 8]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.what_time_does()

    def what_time_does(self) -> None:
        """Each noun adds what falls due."""

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        if not hasattr(self, "people"):
            return
        self.met.steps += 1
        stored = Balance.objects.in_bulk([purse.account_id for purse in self.purses])
        for person, purse in zip(self.people, self.purses, strict=True):
            balance = stored[purse.account_id]
            assert (balance.posted_minor, balance.held_minor) == (person.posted, person.held), person
        self.compare()

    def compare(self) -> None:
        """Each noun adds its own rows."""
