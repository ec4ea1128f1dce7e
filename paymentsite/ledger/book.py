"""What an act needs to know of the books, read under lock, and what it makes of them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from paymentsite.ledger.canon import HoldFacts, LotFacts
from paymentsite.ledger.models import Account

BALANCE_MAX: Final = 4 * 10**18  # what is on an account, held, or in a lot; sums and differences of two fit 64 bits


@dataclass(slots=True)
class BalanceState:
    account_id: int
    posted: int
    held: int
    floor: int | None
    seq: int
    status: str

    def copy(self) -> "BalanceState":
        """Another of the same; ``replace`` takes five times as long, which a batch feels."""
        return BalanceState(self.account_id, self.posted, self.held, self.floor, self.seq, self.status)


@dataclass(slots=True)
class HoldState:
    id: UUID
    account_id: int
    unit: str
    authorised: int
    captured: int
    released: int
    state: str
    placed_at: datetime
    expires_at: datetime | None
    new: bool = False

    @property
    def left(self) -> int:
        return self.authorised - self.captured - self.released


@dataclass(slots=True)
class LotState:
    id: UUID
    account_id: int
    origin: str
    active_on: date
    expires_on: date
    issued: int = 0
    used: int = 0
    expired: int = 0
    held: int = 0
    new: bool = False

    @property
    def left(self) -> int:
        return self.issued - self.used - self.expired - self.held

    def alive(self, day: date) -> bool:
        return self.active_on <= day <= self.expires_on


@dataclass(slots=True)
class Past:
    """An earlier posting: how much of it is not reversed yet, and what of its lots can be given or taken back."""

    unit: str
    source_id: int
    target_id: int
    left: int
    given: dict[UUID, int] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class PostingRow:
    position: int
    unit: str
    source_id: int
    target_id: int
    amount: int
    source_seq: int | None
    source_balance: int | None
    target_seq: int | None
    target_balance: int | None
    reverses_id: int | None


@dataclass(slots=True)
class Effects:
    """What an accepted act does besides changing the states."""

    postings: list[PostingRow] = field(default_factory=list)
    holds: list[HoldFacts] = field(default_factory=list)
    lots: list[LotFacts] = field(default_factory=list)
    placed: list[UUID] = field(default_factory=list)
    touched: tuple[int, ...] = ()

    @property
    def balances(self) -> dict[int, int]:
        """What the postings leave on each strict account."""
        left: dict[int, int] = {}
        for p in self.postings:
            if p.source_balance is not None:
                left[p.source_id] = p.source_balance
            if p.target_balance is not None:
                left[p.target_id] = p.target_balance
        return left


@dataclass(slots=True)
class Book:
    """The states as they stand. ``reserved`` says which lots a hold has set aside, and how much of each."""

    accounts: dict[int, Account] = field(default_factory=dict)
    balances: dict[int, BalanceState] = field(default_factory=dict)
    holds: dict[UUID, HoldState] = field(default_factory=dict)
    lots: dict[int, dict[UUID, LotState]] = field(default_factory=dict)
    reserved: dict[UUID, dict[UUID, int]] = field(default_factory=dict)
    past: dict[int, Past] = field(default_factory=dict)


class Page:
    """A book with one act pencilled in: states are copied when first touched, and inked only when all is well."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.effects = Effects()
        self.balances: dict[int, BalanceState] = {}
        self.holds: dict[UUID, HoldState] = {}
        self.lots: dict[UUID, LotState] = {}
        self.reserved: dict[UUID, dict[UUID, int]] = {}
        self.past: dict[int, Past] = {}

    def balance(self, account_id: int) -> BalanceState:
        state = self.balances.get(account_id)
        if state is None:
            state = self.balances[account_id] = self.book.balances[account_id].copy()
        return state

    def hold(self, hold_id: UUID) -> HoldState:
        state = self.holds.get(hold_id)
        if state is None:
            state = self.holds[hold_id] = replace(self.book.holds[hold_id])
        return state

    def reserves(self, hold_id: UUID) -> dict[UUID, int]:
        reserves = self.reserved.get(hold_id)
        if reserves is None:
            reserves = self.reserved[hold_id] = dict(self.book.reserved.get(hold_id, {}))
        return reserves

    def posting(self, posting_id: int) -> Past:
        state = self.past.get(posting_id)
        if state is None:
            first = self.book.past[posting_id]
            state = self.past[posting_id] = replace(first, given=dict(first.given), taken=dict(first.taken))
        return state

    def lot(self, account_id: int, lot_id: UUID) -> LotState:
        state = self.lots.get(lot_id)
        if state is None:
            state = self.lots[lot_id] = replace(self.book.lots[account_id][lot_id])
        return state

    def lots_of(self, account_id: int) -> Iterator[LotState]:
        """The account's lots, the one that expires first coming first, to be looked at but not changed."""
        seen = {**self.book.lots.get(account_id, {})}
        seen.update({key: lot for key, lot in self.lots.items() if lot.account_id == account_id})
        yield from sorted(seen.values(), key=lambda lot: (lot.expires_on, lot.active_on, lot.origin))

    def ink(self) -> Effects:
        """Make the book what the page says."""
        self.book.balances.update(self.balances)
        self.book.holds.update(self.holds)
        self.book.reserved.update(self.reserved)
        self.book.past.update(self.past)
        for lot in self.lots.values():
            self.book.lots.setdefault(lot.account_id, {})[lot.id] = lot
        self.effects.touched = tuple(self.balances)
        return self.effects
