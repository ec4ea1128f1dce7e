"""What every history of wallets stands on: members with wallets, a plain model of them, and the comparison of both.

A noun adds its acts as a mixin beside this: rules that say what must be answered, do it, and change the model. Nothing
in the model knows how the site keeps its books.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol, TypeVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from members.models import LimitUse, Member
from members.services import members
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.ledger.models import Account
from tests.factories import fund
from tests.ledger.soundness import assert_sound
from tests.wallets.conftest import read_rows
from tests.wallets.gateways import gateway
from tests.wallets.histories import stage
from tests.wallets.histories.looking import Looking
from tests.wallets.histories.people import BALANCE_MAX, Person
from wallets.models import FeeUse, Wallet
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
MOMENTS = [{"minutes": 2}, {"minutes": 11}, {"hours": 5}, {"days": 1}, {"days": 1}, {"days": 8}, {"days": 40}]


class Row(Protocol):
    """What a history made and may end."""

    state: str


RowT = TypeVar("RowT", bound=Row)


@dataclass
class Met:
    """What histories came across, so that those that meet nothing do not pass for good ones."""

    histories: int = 0
    steps: int = 0
    answers: Counter[str] = field(default_factory=Counter)


class World(RuleBasedStateMachine):
    """Each history runs in a transaction that is rolled back; its people and their wallets are there before it."""

    met: ClassVar[Met] = Met()
    setting: ClassVar[stage.Stage | None] = None

    def __init__(self) -> None:
        super().__init__()
        if self.setting is None:
            with clock.standing(BEGIN - timedelta(days=1)):
                type(self).setting = stage.Stage.set(PEOPLE)
        assert self.setting
        self.purses: list[Wallet] = self.setting.purses
        gateway().forget()
        self.now = BEGIN
        self.count = 0
        self.house: Counter[tuple[str, str]] = Counter()
        self.changed = True
        self.looking = Looking()
        self.open = ExitStack()
        self.open.enter_context(transaction.atomic())
        # As Django's test cases mark theirs: calls to gateways refuse to be inside any other transaction.
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        self.open.enter_context(self.looking.listening())
        self.met.histories += 1

    def teardown(self) -> None:
        try:
            self.look_back()
        finally:
            transaction.set_rollback(True)
            self.open.close()

    def look_back(self) -> None:
        """What must be true of the whole history, once it is over."""
        assert_sound()
        assert set(stage.sums_of_all().values()) <= {0}
        with clock.standing(self.now):
            found = verification.discover().run(only=["ledger", "wallets", "members"]).findings
            assert found == [], found
        assert self.looking.look() == read_rows(), "something was written that nobody heard of"

    @initialize(
        minors=st.lists(st.integers(0, 300), min_size=PEOPLE, max_size=PEOPLE),
        one=who,
        number=st.sampled_from(range(48)),
    )
    def beginning(self, minors: list[int], one: int, number: int) -> None:
        self.people = [Person(number, minor) for number, minor in enumerate(minors)]
        with clock.standing(self.now):
            for purse, minor in zip(self.purses, minors, strict=True):
                if minor:
                    fund(purse.account, minor)
        self.house["cash", "CNY"] -= sum(minors)
        self.first(one, number)

    def first(self, one: int, number: int) -> None:
        """Each noun has its act done once, and with some numbers goes where something special happens: what comes then
        is chance, which leaves whole nouns out of many histories."""

    def coming(self, one: int) -> int:
        """What may still come onto their wallet, and is never refused when it does."""
        del one
        return 0

    def has_no_room(self, one: int, minor: int) -> bool:
        return self.people[one].posted + self.coming(one) + minor > BALANCE_MAX["CNY"]

    def member(self, number: int) -> Member:
        return Member.objects.get(pk=self.purses[number].member_id)

    def actor(self, number: int) -> Actor:
        return Actor(kind="member", key=str(self.purses[number].member_id))

    def user(self, number: int) -> Actor:
        return Actor.of(self.purses[number].member.user)

    def one_of(self, rows: list[RowT], number: int) -> RowT:
        """One of what this history made; every other time one that is still open, if any is."""
        still = [row for row in rows if row.state == "open"] if number % 2 else []
        return (still or rows)[number // 2 % len(still or rows)]

    def reference(self) -> str:
        self.count += 1
        return f"act {self.count}"

    def do(self, name: str, act: Callable[[], Any], *, expected: str) -> Any:
        """Do it, at this history's time, and hear what must be heard; what is refused has changed nothing."""
        before = self.looking.look() if expected != DONE else None
        answer = None
        with clock.standing(self.now):
            try:
                answer = act()
            except DomainError as refusal:
                heard = refusal.code
            else:
                heard = DONE

        assert heard == expected, f"{name}: {heard}, not {expected}"
        if before is None:
            self.changed = True
        else:
            assert self.looking.look() == before, f"{name} was refused and changed something"
        self.met.answers[f"{name} {heard}"] += 1
        return answer

    def again(self, name: str, act: Callable[[], Any]) -> Any:
        """Do once more what was done: nothing changes."""
        before = self.looking.look()
        answer = self.do(name, act, expected=DONE)
        assert self.looking.look() == before, f"{name} once more changed something"
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

    @rule(how=st.sampled_from(MOMENTS))
    def time_passes(self, how: dict[str, int]) -> None:
        self.let_pass(timedelta(**how))

    def let_pass(self, duration: timedelta) -> None:
        self.now += duration
        self.changed = True
        self.what_time_does()

    def what_time_does(self) -> None:
        """Each noun adds what falls due."""

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        if not hasattr(self, "people"):
            return
        self.met.steps += 1
        # After a refusal every row was found unchanged already.
        if self.changed:
            self.compare()
            self.changed = False

    def compare(self) -> None:
        """Each noun adds its own rows."""
        assert self.setting
        self.setting.assert_holds(self.people)
        house = Account.objects.filter(mode=Account.Mode.DEFERRED)
        assert stage.moved_on(house) == {key: minor for key, minor in self.house.items() if minor}
        assert stage.sums(LimitUse, "amount_minor") == self._sums("counts", "minor")
        assert stage.sums(FeeUse, "fee_minor") == self._sums("charged", "fee")

    def _sums(self, still: str, what: str) -> dict[tuple[int, str], tuple[int, int]]:
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for person, purse in zip(self.people, self.purses, strict=True):
            for use in person.uses:
                if getattr(use, still):
                    key = (purse.member_id, use.kind)
                    total, times = found.get(key, (0, 0))
                    found[key] = (total + getattr(use, what), times + 1)
        return found
