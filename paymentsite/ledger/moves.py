"""The act that most are, decided without a page: one move between two accounts without lots. Pure.

It does what ``paymentsite.ledger.rules`` would, or leaves the book alone and the act to it: whatever is refused is
refused there, in one place.
"""

from typing import Final

from paymentsite.ledger.book import BALANCE_MAX, BalanceState, Book, Effects, PostingRow
from paymentsite.ledger.entries import Entry, Move
from paymentsite.ledger.models import Account, Balance

_OPEN: Final = Balance.Status.OPEN.value
_STRICT: Final = Account.Mode.STRICT.value


def swiftly(book: Book, entry: Entry) -> Effects | None:
    """The move done to ``book``, with its effects; None when it is no such move, or may not be accepted."""
    if type(entry) is not Move or entry.terms is not None or entry.source.lots:
        return None
    source, target, minor = entry.source, entry.target, entry.amount.minor
    giver, taker = book.balances[source.id], book.balances[target.id]
    if giver.status != _OPEN or taker.status != _OPEN:
        return None
    if not (_bears(source, giver, -minor) and _bears(target, taker, minor)):
        return None

    row = PostingRow(1, source.unit, source.id, target.id, minor, None, None, None, None, None)
    touched = []
    if source.mode == _STRICT:
        giver.posted -= minor
        giver.seq += 1
        row.source_seq, row.source_balance = giver.seq, giver.posted
        touched.append(source.id)
    if target.mode == _STRICT:
        taker.posted += minor
        taker.seq += 1
        row.target_seq, row.target_balance = taker.seq, taker.posted
        touched.append(target.id)
    return Effects(postings=[row], touched=tuple(touched))


def _bears(account: Account, state: BalanceState, change: int) -> bool:
    """Whether the account may change so. What stands on a deferred one is only what was rolled up by now."""
    if account.mode != _STRICT:
        return -BALANCE_MAX <= state.posted <= BALANCE_MAX
    after = state.posted + change
    return -BALANCE_MAX <= after <= BALANCE_MAX and (state.floor is None or after - state.held >= state.floor)
