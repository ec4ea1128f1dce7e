"""Balance and statement page of an account with few postings and of one with many."""

import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from bench.work.books import UNIT
from bench.work.references import references
from paymentsite.core.money import Money
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Posting
from paymentsite.ledger.queries import Line

_OUT: Final = Money(1, UNIT)
_IN: Final = Money(2, UNIT)  # more comes in than goes out, so that the strict account never falls short


def open_pair(*, size: int) -> None:
    """A strict and a deferred account that will have ``size`` postings with each other."""
    for mode in Account.Mode:
        ledger.open_account(owner=f"reads:{size}", code=mode.value, unit=UNIT, kind=Account.Kind.LIABILITY, mode=mode)


def fill(*, size: int, rows: int) -> None:
    """``rows`` more postings between the pair of ``size``, coming and going by turns."""
    strict, deferred = _pair(size)
    moves = (ledger.Move(_IN, deferred, strict), ledger.Move(_OUT, strict, deferred))
    drafts = [
        ledger.Draft(entries=(moves[number % 2],), reference=reference, scope="bench")
        for number, reference in zip(range(rows), references(), strict=False)
    ]
    for outcome in ledger.post_many(drafts):
        if not isinstance(outcome, ledger.Posted):
            raise outcome


def measure(*, small: int, large: int, times: int) -> dict[str, float]:
    """Microseconds of each kind of read, the median of ``times``; small and large accounts by turns."""
    readers = {(size, kind): read for size in (small, large) for kind, read in _readers(size).items()}
    spent: dict[tuple[int, str], list[float]] = {key: [] for key in readers}
    keys = list(readers)
    chance = random.Random(1)
    for _ in range(times):
        chance.shuffle(keys)
        for key in keys:
            began = time.perf_counter()
            readers[key]()
            spent[key].append((time.perf_counter() - began) * 1e6)
    names = {small: "small", large: "large"}
    return {f"{kind}_{names[size]}": statistics.median(laps) for (size, kind), laps in spent.items()}


def _readers(size: int) -> dict[str, Callable[[], object]]:
    readers: dict[str, Callable[[], object]] = {}
    for account in _pair(size):
        readers[f"balance_{account.mode}"] = partial(queries.standing, account)
        readers[f"statement_{account.mode}_first"] = partial(_read_page, account, "")
        readers[f"statement_{account.mode}_deep"] = partial(_read_page, account, _middle(account, size))
    return readers


def _read_page(account: Account, page: str) -> None:
    if len(queries.statement(account, page=page).lines) != queries.statements.PAGE:
        raise AssertionError("a page that is not full measures nothing")


def _pair(size: int) -> tuple[Account, Account]:
    pair = {account.mode: account for account in Account.objects.filter(owner=f"reads:{size}")}
    return pair[Account.Mode.STRICT], pair[Account.Mode.DEFERRED]


def _middle(account: Account, size: int) -> str:
    """Where the page in the middle of the account's statement begins."""
    order = ("target_seq",) if account.strict else ("journal_id", "pk")
    incoming = Posting.objects.filter(target=account).select_related("journal").order_by(*order)
    posting = incoming[size // 4]  # half of the postings come in
    return Line(posting.pk, posting.target_seq, posting.amount, None, account, posting.journal).place
