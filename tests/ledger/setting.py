"""What a history works on: its accounts, and the entries that its wishes stand for."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import Model
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import models
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Lapse, Move, Place, Release, Terms, Undo
from tests.ledger import model

Account, Balance, Hold, Lot, Posting = models.Account, models.Balance, models.Hold, models.Lot, models.Posting
Journal, HoldEvent, LotUse, Unsealed = models.Journal, models.HoldEvent, models.LotUse, models.Unsealed

# The tables that a history writes, and by what its rows are told from those of earlier ones.
TABLES: Final[dict[type[Model], str]] = {
    Balance: "account__gte",
    Hold: "account__gte",
    Lot: "account__gte",
    models.AccountEvent: "account__gte",
    Posting: "pk__gt",
    HoldEvent: "pk__gt",
    LotUse: "pk__gt",
    Journal: "scope",
    Unsealed: "journal__scope",
    models.Leaf: "journal__scope",
}
COLUMNS: Final = {table: [field.attname for field in table._meta.concrete_fields] for table in TABLES}
CHANGING: Final = (Balance, Hold, Lot)

Row = tuple[Any, ...]
Book = dict[type[Model], dict[Any, Row]]  # rows by their keys, which all tables have first
Outcome = Posted | DomainError

BEGINNING: Final = datetime(2026, 3, 1, 4, tzinfo=UTC)
HOT: Final[dict[str, Any]] = {"mode": Account.Mode.DEFERRED}
STANDARD: Final[list[tuple[str, dict[str, Any]]]] = [
    ("CNY", {}),
    ("CNY", {}),
    ("CNY", {"floor_minor": -100}),
    ("CNY", {"floor_minor": None}),
    ("CNY", HOT),
    ("CNY", HOT),
    ("EUR", {}),
    ("EUR", HOT),
    ("PTS", {"lots": True}),
    ("PTS", {"lots": True}),
    ("PTS", {}),
    ("PTS", HOT),
]
# From how many days from now until how many days from now a lot can be spent.
SPANS: Final = ((0, 3), (0, 0), (0, 9), (2, 5), (-5, 20), (0, 1), (1, 1), (0, 30))
UNITS: Final = ("CNY", "CNY", "PTS", "PTS", "CNY", "EUR", "PTS", "CNY")
_numbers: Final = count()

# A wish is small numbers: what kind of entry, about whom, how much, and how. So histories shrink to readable ones.
small = st.integers(0, 7)
amounts = st.integers(1, 60)
kinds = st.sampled_from([0, 0, 0, 4, 4, 6, 6, 8, 9, 10, 11, 12, 13, 13, 13])
wishes = st.tuples(kinds, small, small, amounts, small)
Wish = tuple[int, int, int, int, int]


@dataclass
class Met:
    """What histories met, so that a test can tell that they were worth it."""

    histories: int = 0
    steps: int = 0
    things: Counter[str] = field(default_factory=Counter)


class Setting(RuleBasedStateMachine):
    """Accounts of every sort, and a moment at which the history has arrived."""

    met: ClassVar[Met] = Met()
    commits: ClassVar[bool] = False
    standard: ClassVar[list[Account]] = []

    def __init__(self) -> None:
        super().__init__()
        self.met.histories += 1
        self.name = f"h{next(_numbers)}"
        self.now = BEGINNING
        self.references = count()
        self.past: list[tuple[Draft, Outcome]] = []
        self.books = model.Books()
        self.rolled_up: dict[int, int] = {}
        self.accounts: dict[str, list[Account]] = {}
        self.by_id: dict[int, Account] = {}
        self.stack = ExitStack()
        self._open_standard()
        self.book: Book = {}

    def _open_standard(self) -> None:
        if self.commits:
            opened = [self.opened(unit, number, **fields) for number, (unit, fields) in enumerate(STANDARD)]
        else:
            if not self.standard:
                type(self).standard = [
                    self.opened(unit, number, **fields) for number, (unit, fields) in enumerate(STANDARD)
                ]
            opened = self.standard
            self.stack.enter_context(transaction.atomic())
            self.stack.callback(transaction.set_rollback, True)  # noqa: FBT003  Django's signature
        for account, (_, fields) in zip(opened, STANDARD, strict=True):
            self.know(account, fields.get("floor_minor", 0))

    def teardown(self) -> None:
        self.stack.close()

    def opened(self, unit: str, number: int, **fields: Any) -> Account:
        with clock.standing(self.now):
            return ledger.open_account(
                owner=self.name, code=f"{number}", unit=unit, kind=Account.Kind.LIABILITY, **fields
            )

    def know(self, account: Account, floor: int | None) -> None:
        self.accounts.setdefault(account.unit, []).append(account)
        self.by_id[account.pk] = account
        strict = account.mode == Account.Mode.STRICT
        self.books.accounts[account.pk] = model.Account(
            str(account.public_id), account.unit, strict, account.lots, floor if strict else None
        )
        self.rolled_up[account.pk] = 0

    def account(self, unit: str, number: int) -> Account:
        return self.accounts[unit][number % len(self.accounts[unit])]

    def two(self, unit: str, one: int, other: int) -> tuple[Account, Account]:
        source = self.account(unit, one)
        others = [account for account in self.accounts[unit] if account is not source]
        return source, others[other % len(others)]

    def row(self, table: type[Model], key: Any) -> Any:
        """A row of the book as its model, without asking the database."""
        return table(**dict(zip(COLUMNS[table], self.book[table][key], strict=True)))

    def posting(self, number: int) -> Posting:
        keys = list(self.books.postings)
        posting: Posting = self.row(Posting, keys[-1 - number % len(keys)])
        posting.source, posting.target = self.by_id[posting.source_id], self.by_id[posting.target_id]
        return posting

    def hold(self, number: int) -> Hold:
        keys = list(self.books.holds)
        hold: Hold = self.row(Hold, keys[-1 - number % len(keys)])
        hold.account = self.by_id[hold.account_id]
        return hold

    def day(self, days: int) -> Any:
        return clock.day_of(self.now) + timedelta(days)

    def terms(self, target: Account, how: int) -> Terms | None:
        if not target.lots:
            return None
        first, last = SPANS[how]
        return Terms("ab"[how % 2], self.day(first), self.day(last))

    def entry(self, wish: Wish) -> Entry:
        """What a wish stands for; where that needs something that is not there yet, a move."""
        kind, one, other, minor, how = wish
        unit = UNITS[how]
        account = self.account(unit, one)
        if kind in {4, 5} and account.mode == Account.Mode.STRICT:
            until = (None, timedelta(hours=1), timedelta(hours=6), timedelta(days=2))[other % 4]
            return Place(Money(minor, unit), account, until and self.now + until)
        if kind in {6, 7} and self.books.postings:
            posting = self.posting(one * 8 + other)
            return Undo(posting, None if how % 2 else Money(minor, posting.unit))
        if kind == 8:
            lots = [account for account in self.accounts["PTS"] if account.lots]
            others = [account for account in self.accounts["PTS"] if not account.lots]
            return Lapse(lots[one % len(lots)], others[other % len(others)], self.day(how - 3))
        if kind >= 9 and self.books.holds:
            return self.about(self.hold(one), kind, other, minor, how)
        source, target = self.two(unit, one, other)
        return Move(Money(minor, unit), source, target, self.terms(target, how))

    def about(self, hold: Hold, kind: int, other: int, minor: int, how: int) -> Entry:
        amount, until = Money(minor, hold.unit), self.now + timedelta(hours=30 * (how - 1))
        match kind:
            case 9:
                return Increase(amount, hold, until if other % 2 else None)
            case 10:
                return Extend(hold, until)
            case 11:
                return Release(hold, amount if how % 2 else None)
            case 12:
                return Expire(hold)
        others = [account for account in self.accounts[hold.unit] if account.pk != hold.account_id]
        target = others[other % len(others)]
        tolerance = (None, None, Money(0, hold.unit), Money(30, hold.unit))[how % 4]
        return Capture(amount, hold, target, how > 3, tolerance, self.terms(target, other))

    def draft(self, *entries: Entry, **fields: Any) -> Draft:
        return Draft(entries=entries, reference=f"{next(self.references)}", **{"scope": self.name, **fields})


def contradict(draft: Draft, how: int, now: datetime) -> tuple[Draft, list[str]]:
    """Another act under the same reference, and the fields that differ."""
    first, *rest = draft.entries
    match how, first:
        case 0, _:
            return replace(draft, kind="other"), ["kind"]
        case 1, _:
            return replace(draft, source="other:1", details={"note": "x"}), ["source", "details"]
        case 2, _:
            return replace(draft, occurred_at=now + timedelta(days=9)), ["occurred_at"]
        case 3, _ if rest:
            return replace(draft, entries=draft.entries[:-1]), [f"entries[{len(draft.entries)}]"]
        case 4 | 5, Move(amount) | Place(amount) | Increase(amount) | Capture(amount):
            entry = replace(first, amount=Money(amount.minor + 1, amount.unit))
            named = "entries[1].amount" if isinstance(first, Move) else "entries[1]"
            return replace(draft, kind="other", entries=(entry, *rest)), ["kind", named]
    return replace(draft, entries=(*draft.entries, first)), [f"entries[{len(draft.entries) + 1}]"]
