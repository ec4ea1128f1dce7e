"""Many transfers a call."""

import random
import time

from bench.work.books import CENT, wallets
from bench.work.references import references
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account


def post(*, size: int, rows: int, seed: int) -> tuple[float, float]:
    """``rows`` transfers between wallets by chance, ``size`` a call.

    How many a second, making the drafts included, and the share of the time that making them took.
    """
    accounts, chance, reference = wallets(), random.Random(seed), references()
    began, drafting, done = time.monotonic(), 0.0, 0
    while done < rows:
        at = time.monotonic()
        drafts = [_draft(chance.sample(accounts, 2), next(reference)) for _ in range(size)]
        drafting += time.monotonic() - at
        for outcome in ledger.post_many(drafts):
            if not isinstance(outcome, ledger.Posted):
                raise outcome
        done += size
    seconds = time.monotonic() - began
    return done / seconds, drafting / seconds


def _draft(pair: list[Account], reference: str) -> ledger.Draft:
    source, target = pair
    return ledger.Draft(entries=(ledger.Move(CENT, source, target),), reference=reference, scope="bench")
