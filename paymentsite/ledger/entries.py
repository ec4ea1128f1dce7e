"""What may be asked of the ledger: the entries of an act, the act itself, and its answer."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account, Hold, Posting
from paymentsite.ledger.models.lots import NEVER


@dataclass(frozen=True, slots=True)
class Terms:
    """From when until when value put on an account with lots can be spent, both days included."""

    origin: str
    active_on: date = date.min
    expires_on: date = NEVER


@dataclass(frozen=True, slots=True)
class Move:
    """``amount`` from ``source`` to ``target``. Into an account with lots it needs ``terms``."""

    amount: Money
    source: Account
    target: Account
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """``amount`` of an earlier posting back again, or all that is left of it; lots too, never more than it moved.

    Where an act undoes several postings of a journal, all that is left of one may be nothing.
    """

    posting: Posting
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """What is left in ``source``'s lots that died before ``day`` goes to ``target``; what is alive today never does."""

    source: Account
    target: Account
    day: date


@dataclass(frozen=True, slots=True)
class Place:
    """Set ``amount`` aside on ``account``: a new hold."""

    amount: Money
    account: Account
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Increase:
    """Set ``amount`` more aside on ``hold``; move its expiry when one is given."""

    amount: Money
    hold: Hold
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """Let ``hold`` live until ``expires_at``."""

    hold: Hold
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Capture:
    """Take ``amount`` out of ``hold`` to ``target``.

    Up to ``tolerance`` more than is left may be taken when the account can bear it. A ``final`` capture gives back
    what remains.
    """

    amount: Money
    hold: Hold
    target: Account
    final: bool = False
    tolerance: Money | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Give back ``amount`` of ``hold``, or all that is left of it."""

    hold: Hold
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Expire:
    """Give back all that is left of ``hold`` because its time is over."""

    hold: Hold


Entry = Move | Undo | Lapse | Place | Increase | Extend | Capture | Release | Expire

ENTRIES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One act as it is asked for: its entries happen all or none, once per scope and reference.

    A refusal of it is its answer for ever, unless it ``must`` be booked sooner or later, because it has happened.
    """

    entries: tuple[Entry, ...]
    reference: str
    scope: str = "ledger"
    kind: str = "transfer"
    occurred_at: datetime | None = None
    by: Actor = SYSTEM
    parent: UUID | None = None
    source: str = ""
    details: dict[str, Any] | None = None
    must: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer: what its postings left on each strict account (by account id) and the holds it placed, in order.

    ``replayed`` tells that the act had been done before and this is its first answer again.
    """

    journal_id: UUID
    recorded_at: datetime
    balances: dict[int, int]
    holds: tuple[UUID, ...] = ()
    replayed: bool = field(default=False, compare=False)
