"""Which lots value comes out of and goes into. Pure.

What expires first is spent first. A hold keeps the lots that it set aside, even past their last day.
"""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from paymentsite.core.money import Money
from paymentsite.ledger.book import BALANCE_MAX, LotState, Page
from paymentsite.ledger.canon import LotFacts
from paymentsite.ledger.entries import Terms
from paymentsite.ledger.models import Account, LotUse
from paymentsite.ledger.refusals import AccountFull, NothingLapsed, ReversalExceeds, short_of


def spend(page: Page, position: int, account: Account, amount: int, today: date) -> None:
    for lot, part in _soonest(page, account, amount, today):
        lot.used += part
        _tell(page, position, LotUse.Kind.USED, lot, part)


def reserve(page: Page, position: int, account: Account, amount: int, today: date, hold_id: UUID) -> None:
    reserves = page.reserves(hold_id)
    for lot, part in _soonest(page, account, amount, today):
        lot.held += part
        reserves[lot.id] = reserves.get(lot.id, 0) + part
        _tell(page, position, LotUse.Kind.HELD, lot, part, hold_id)


def take_reserved(page: Page, position: int, account: Account, amount: int, hold_id: UUID, kind: LotUse.Kind) -> None:
    """Use what a hold has set aside, soonest first."""
    for lot, part in _reserved(page, account.id, amount, hold_id):
        lot.held -= part
        lot.used += part
        _tell(page, position, kind, lot, part, hold_id)


def unreserve(page: Page, position: int, account_id: int, amount: int, hold_id: UUID) -> None:
    """Give a hold's lots back; those that last longest first, as they are worth most to their owner."""
    for lot, part in _reserved(page, account_id, amount, hold_id, longest_first=True):
        lot.held -= part
        _tell(page, position, LotUse.Kind.UNHELD, lot, part, hold_id)


def issue(page: Page, position: int, account: Account, amount: int, terms: Terms, new_id: Callable[[], UUID]) -> None:
    key = (terms.origin, terms.active_on, terms.expires_on)
    known = next((lot for lot in page.lots_of(account.id) if (lot.origin, lot.active_on, lot.expires_on) == key), None)
    if known is None:
        lot = LotState(new_id(), account.id, *key, new=True)
        page.lots[lot.id] = lot
    else:
        lot = page.lot(account.id, known.id)
    lot.issued += amount
    if lot.issued > BALANCE_MAX:
        raise AccountFull(account=account.public_id)
    _tell(page, position, LotUse.Kind.ISSUED, lot, amount)


def lapse(page: Page, position: int, account: Account, day: date) -> int:
    """Empty every lot whose last day was before ``day``; how much that was."""
    total = 0
    for seen in list(page.lots_of(account.id)):
        if seen.expires_on < day and seen.left:
            lot, part = page.lot(account.id, seen.id), seen.left
            lot.expired += part
            total += part
            _tell(page, position, LotUse.Kind.EXPIRED, lot, part)
    if not total:
        raise NothingLapsed(account=account.public_id)
    return total


def move_through(
    page: Page, position: int, account: Account, amount: int, shares: dict[UUID, int], kind: LotUse.Kind
) -> None:
    """Undo what a posting did to lots: take back what it issued, or give back what it spent, last lot first."""
    wanted = amount
    for lot_id in reversed(list(shares)):
        lot = page.lot(account.id, lot_id)
        part = min(wanted, shares[lot_id])
        if kind == LotUse.Kind.WITHDRAWN:
            part = min(part, lot.left)
            lot.used += part
        else:
            lot.used -= part
        if part:
            shares[lot_id] -= part
            wanted -= part
            _tell(page, position, kind, lot, part)
    if not wanted:
        return
    if kind == LotUse.Kind.RETURNED:
        # The posting took its value out of no lot by spending it: it lapsed, and what lapsed does not come back.
        raise ReversalExceeds(left=Money(0, account.unit), asked=Money(amount, account.unit))
    raise short_of(account, amount - wanted, wanted)


def _soonest(page: Page, account: Account, amount: int, today: date) -> list[tuple[LotState, int]]:
    parts, wanted = [], amount
    for lot in page.lots_of(account.id):
        if wanted and lot.left and lot.alive(today):
            part = min(wanted, lot.left)
            parts.append((page.lot(account.id, lot.id), part))
            wanted -= part
    if wanted:
        raise short_of(account, amount - wanted, wanted)
    return parts


def _reserved(
    page: Page, account_id: int, amount: int, hold_id: UUID, *, longest_first: bool = False
) -> list[tuple[LotState, int]]:
    reserves, parts, wanted = page.reserves(hold_id), [], amount
    lots = [lot for lot in page.lots_of(account_id) if reserves.get(lot.id)]
    for seen in reversed(lots) if longest_first else lots:
        part = min(wanted, reserves[seen.id])
        if part:
            reserves[seen.id] -= part
            wanted -= part
            parts.append((page.lot(account_id, seen.id), part))
    return parts


def _tell(
    page: Page, position: int, kind: LotUse.Kind, lot: LotState, amount: int, hold_id: UUID | None = None
) -> None:
    page.effects.lots.append(
        LotFacts(
            position,
            kind.value,
            lot.id,
            lot.account_id,
            lot.origin,
            lot.active_on,
            lot.expires_on,
            amount,
            hold_id,
        )
    )
