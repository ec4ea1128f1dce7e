"""The books as one would keep them with pencil and paper: naive, slow, and easy to see through.

What is kept; what an act does to it is in ``model_acts``. Rows are known by the ids that the database gave them.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

LotKey = tuple[int, str, date, date]  # account, origin, first day, last day


class Refused(Exception):
    """What the ledger must answer: a code and its facts."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code, self.facts = code, facts


@dataclass
class Account:
    public_id: str
    unit: str
    strict: bool = True
    lots: bool = False
    floor: int | None = None
    status: str = "open"
    posted: int = 0
    held: int = 0
    seq: int = 0


@dataclass
class Hold:
    account: int
    authorised: int
    expires_at: datetime | None
    captured: int = 0
    released: int = 0
    state: str = "open"
    aside: dict[LotKey, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return self.authorised - self.captured - self.released


@dataclass
class Lot:
    issued: int = 0
    used: int = 0
    expired: int = 0
    held: int = 0

    @property
    def left(self) -> int:
        return self.issued - self.used - self.expired - self.held


@dataclass
class Side:
    """What a posting left on a strict account."""

    seq: int | None = None
    balance: int | None = None


@dataclass
class Posting:
    position: int
    source: int
    target: int
    amount: int
    reverses: int | None
    source_side: Side
    target_side: Side
    left: int  # not reversed yet
    gave: dict[LotKey, int] = field(default_factory=dict)  # what of it came into which lots of the target, and can go
    took: dict[LotKey, int] = field(default_factory=dict)  # what of it came out of which lots of the source

    @property
    def sides(self) -> tuple[int | None, ...]:
        return self.source_side.seq, self.source_side.balance, self.target_side.seq, self.target_side.balance


@dataclass
class Act:
    """What one accepted act did."""

    postings: list[Posting] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)  # position, kind, hold, amount, expires_at
    uses: list[tuple[Any, ...]] = field(default_factory=list)  # position, kind, lot, hold, amount
    balances: dict[int, int] = field(default_factory=dict)


@dataclass
class Books:
    accounts: dict[int, Account] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    lots: dict[LotKey, Lot] = field(default_factory=dict)
    postings: dict[int, Posting] = field(default_factory=dict)
