"""What each entry does to the books, and when it is refused. Pure: the same on every database, in single acts and bulk.

Floors are looked at when all entries of an act are done: within one act, what comes in may pay for what goes out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from paymentsite.core.money import Money
from paymentsite.ledger import lot_rules, moves
from paymentsite.ledger.book import BALANCE_MAX, Book, Effects, HoldState, Page, PostingRow
from paymentsite.ledger.canon import HoldFacts
from paymentsite.ledger.entries import (
    Capture,
    Draft,
    Entry,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Undo,
)
from paymentsite.ledger.models import Account, Balance, Hold, HoldEvent, LotUse
from paymentsite.ledger.refusals import (
    AccountFull,
    AccountNotOpen,
    HoldExceeded,
    HoldNotDue,
    HoldNotOpen,
    ReversalExceeds,
    short_of,
)

_OPEN: Final = (Balance.Status.OPEN.value,)
_NOT_FROZEN: Final = (Balance.Status.OPEN.value, Balance.Status.NO_DEBIT.value)


@dataclass(frozen=True, slots=True)
class Moment:
    """When an act is decided, and where its new ids come from."""

    now: datetime
    today: date
    new_id: Callable[[], UUID]


def decide(book: Book, draft: Draft, moment: Moment) -> Effects:
    """Do ``draft`` to ``book`` and tell its effects, or raise its refusal and leave the book as it was."""
    if len(draft.entries) == 1 and (done := moves.swiftly(book, draft.entries[0])):
        return done
    return on_a_page(book, draft, moment)


def on_a_page(book: Book, draft: Draft, moment: Moment) -> Effects:
    """The same, for acts of every kind."""
    page = Page(book)
    for position, entry in enumerate(draft.entries, 1):
        if not _passed_over(book, entry, draft):
            _apply(page, position, entry, moment)
    _check_balances(page)
    return page.ink()


def _passed_over(book: Book, entry: Entry, draft: Draft) -> bool:
    """Whether it asks for the rest of a journal's posting that is back already, and another of its postings is not.

    What the draft asks for stays the same, so that a repetition, which finds nothing left at all, is known as one.
    """
    if not isinstance(entry, Undo) or entry.amount is not None or book.past[entry.posting.pk].left:
        return False
    others = [other.posting for other in draft.entries if isinstance(other, Undo)]
    return any(book.past[p.pk].left for p in others if p.journal_id == entry.posting.journal_id)


def _apply(page: Page, position: int, entry: Entry, moment: Moment) -> None:  # noqa: C901, PLR0912  one case a kind
    match entry:
        case Move(amount, source, target, terms):
            _check_status(page, source, _OPEN)
            if source.lots:
                lot_rules.spend(page, position, source, amount.minor, moment.today)
            _post(page, position, amount.minor, source, target)
            if terms is not None:
                lot_rules.issue(page, position, target, amount.minor, terms, moment.new_id)
        case Undo():
            _undo(page, position, entry)
        case Lapse(source, target, day):
            _check_status(page, source, _NOT_FROZEN)
            _post(page, position, lot_rules.lapse(page, position, source, min(day, moment.today)), source, target)
        case Place():
            _place(page, position, entry, moment)
        case Increase(amount, hold, expires_at):
            state = _open_hold(page, hold, moment.now)
            _set_aside(page, position, hold.account, state, amount.minor, moment.today)
            if expires_at is not None:
                state.expires_at = expires_at
            _tell(page, position, HoldEvent.Kind.INCREASED, state, amount.minor)
        case Extend(hold, expires_at):
            state = _open_hold(page, hold, moment.now)
            state.expires_at = expires_at
            _tell(page, position, HoldEvent.Kind.EXTENDED, state, 0)
        case Capture():
            _capture(page, position, entry, moment)
        case Release(hold, given):
            state = _open_hold(page, hold)
            amount_minor = state.left if given is None else given.minor
            _give_back(page, position, state, amount_minor, Hold.State.RELEASED, HoldEvent.Kind.RELEASED)
        case Expire(hold):
            state = _open_hold(page, hold)
            if state.expires_at is None or state.expires_at > moment.now:
                until = "ever" if state.expires_at is None else state.expires_at.isoformat()
                raise HoldNotDue(hold=state.id, expires_at=until)
            _give_back(page, position, state, state.left, Hold.State.EXPIRED, HoldEvent.Kind.EXPIRED)


def _check_status(page: Page, account: Account, allowed: Iterable[str]) -> None:
    status = page.book.balances[account.id].status
    if status not in allowed:
        raise AccountNotOpen(account=account.public_id, status=status)


def _post(
    page: Page, position: int, amount: int, source: Account, target: Account, reverses_id: int | None = None
) -> None:
    """Write the posting down; the source's right to be debited is the caller's to check."""
    _check_status(page, target, _NOT_FROZEN)
    _check_countable(page, source)
    _check_countable(page, target)
    row = PostingRow(position, source.unit, source.id, target.id, amount, None, None, None, None, reverses_id)
    if source.strict:
        state = page.balance(source.id)
        state.posted -= amount
        state.seq += 1
        row.source_seq, row.source_balance = state.seq, state.posted
    if target.strict:
        state = page.balance(target.id)
        state.posted += amount
        state.seq += 1
        row.target_seq, row.target_balance = state.seq, state.posted
    page.effects.postings.append(row)


def _undo(page: Page, position: int, entry: Undo) -> None:
    posting = entry.posting
    past = page.posting(posting.pk)
    amount = past.left if entry.amount is None else entry.amount.minor
    if not 0 < amount <= past.left:
        asked = posting.amount if entry.amount is None else entry.amount
        raise ReversalExceeds(left=Money(past.left, past.unit), asked=asked)
    past.left -= amount
    _check_status(page, posting.target, _OPEN)
    if posting.target.lots:
        lot_rules.move_through(page, position, posting.target, amount, past.given, LotUse.Kind.WITHDRAWN)
    _post(page, position, amount, posting.target, posting.source, posting.pk)
    if posting.source.lots:
        lot_rules.move_through(page, position, posting.source, amount, past.taken, LotUse.Kind.RETURNED)


def _place(page: Page, position: int, entry: Place, moment: Moment) -> None:
    account, amount = entry.account, entry.amount.minor
    state = HoldState(
        moment.new_id(),
        account.id,
        account.unit,
        0,
        0,
        0,
        Hold.State.OPEN,
        moment.now,
        entry.expires_at,
        new=True,
    )
    page.holds[state.id] = state
    _set_aside(page, position, account, state, amount, moment.today)
    _tell(page, position, HoldEvent.Kind.PLACED, state, amount)
    page.effects.placed.append(state.id)


def _open_hold(page: Page, hold: Hold, now: datetime | None = None) -> HoldState:
    """The hold, open; with ``now``, also refused when its time is over though nothing has expired it yet."""
    state = page.hold(hold.pk)
    if state.state != Hold.State.OPEN:
        raise HoldNotOpen(hold=state.id, state=state.state)
    if now is not None and state.expires_at is not None and state.expires_at <= now:
        raise HoldNotOpen(hold=state.id, state=Hold.State.EXPIRED.value)
    return state


def _set_aside(page: Page, position: int, account: Account, hold: HoldState, amount: int, today: date) -> None:
    _check_status(page, account, _OPEN)
    if account.lots:
        lot_rules.reserve(page, position, account, amount, today, hold.id)
    page.balance(account.id).held += amount
    hold.authorised += amount
    if hold.authorised > BALANCE_MAX:
        raise AccountFull(account=account.public_id)


def _capture(page: Page, position: int, entry: Capture, moment: Moment) -> None:
    account, amount = entry.hold.account, entry.amount.minor
    state = _open_hold(page, entry.hold, moment.now)
    _check_status(page, account, _NOT_FROZEN)
    over = amount - state.left
    if over > 0:
        if over > (entry.tolerance.minor if entry.tolerance else 0):
            raise _exceeded(state, amount)
        _set_aside(page, position, account, state, over, moment.today)
        _tell(page, position, HoldEvent.Kind.INCREASED, state, over)
    page.balance(account.id).held -= amount
    state.captured += amount
    if account.lots:
        lot_rules.take_reserved(page, position, account, amount, state.id, LotUse.Kind.USED)
    _post(page, position, amount, account, entry.target)
    if entry.terms is not None:
        lot_rules.issue(page, position, entry.target, amount, entry.terms, moment.new_id)
    if not state.left:
        state.state = Hold.State.CAPTURED
    _tell(page, position, HoldEvent.Kind.CAPTURED, state, amount)
    if entry.final and state.left:
        _give_back(page, position, state, state.left, Hold.State.CAPTURED, HoldEvent.Kind.RELEASED)


def _give_back(page: Page, position: int, state: HoldState, amount: int, end: Hold.State, kind: HoldEvent.Kind) -> None:
    if amount > state.left:
        raise _exceeded(state, amount)
    page.balance(state.account_id).held -= amount
    state.released += amount
    if page.book.accounts[state.account_id].lots:
        lot_rules.unreserve(page, position, state.account_id, amount, state.id)
    if not state.left:
        state.state = end
    _tell(page, position, kind, state, amount)


def _exceeded(state: HoldState, amount: int) -> HoldExceeded:
    return HoldExceeded(hold=state.id, left=Money(state.left, state.unit), asked=Money(amount, state.unit))


def _tell(page: Page, position: int, kind: HoldEvent.Kind, state: HoldState, amount: int) -> None:
    expires_at = None if kind in _SILENT_ON_EXPIRY else state.expires_at
    page.effects.holds.append(HoldFacts(position, kind.value, state.id, state.account_id, amount, expires_at))


_SILENT_ON_EXPIRY: Final = frozenset({HoldEvent.Kind.CAPTURED, HoldEvent.Kind.RELEASED, HoldEvent.Kind.EXPIRED})


def _check_countable(page: Page, account: Account) -> None:
    """What is rolled up on a deferred account leaves room for all that may come before the next roll-up."""
    if not account.strict and not -BALANCE_MAX <= page.book.balances[account.id].posted <= BALANCE_MAX:
        raise AccountFull(account=account.public_id)


def _check_balances(page: Page) -> None:
    for account_id, state in page.balances.items():
        if not -BALANCE_MAX <= state.posted <= BALANCE_MAX or state.held > BALANCE_MAX:
            raise AccountFull(account=page.book.accounts[account_id].public_id)
        if state.floor is None:
            continue
        after = state.posted - state.held - state.floor
        if after < 0:
            account, before = page.book.accounts[account_id], page.book.balances[account_id]
            raise short_of(account, before.posted - before.held - state.floor, -after)
