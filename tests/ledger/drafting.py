"""Drafts of accounts that need no database, and why they are refused."""

from datetime import date
from enum import IntEnum
from uuid import UUID

import pytest

from paymentsite.ledger.entries import Entry
from paymentsite.ledger.models import Account, Hold, Posting
from paymentsite.ledger.refusals import InvalidEntry
from paymentsite.ledger.services import Draft, Move, Terms
from paymentsite.ledger.validation import validate
from tests.factories import cny


class Coin(IntEnum):
    ONE = 1


def account(pk: int, unit: str = "CNY", **fields: object) -> Account:
    return Account(**{"pk": pk, "unit": unit, "mode": "strict", "lots": False, **fields})


ONE, TWO, EUROS = account(1), account(2), account(3, unit="EUR")
HOT = account(4, mode="deferred")
LOTS, REWARDS = account(5, unit="PTS", lots=True), account(6, unit="PTS")
HOLD = Hold(pk=UUID(int=1), unit="CNY", account=ONE)
POSTING = Posting(pk=1, unit="CNY", source=ONE, target=TWO, amount_minor=5)
TERMS = Terms("welcome", date(2026, 1, 1), date(2026, 12, 31))


def draft(*entries: Entry, **fields: object) -> Draft:
    return Draft(entries=entries, **{"reference": "r", **fields})


def why(given: Draft) -> tuple[int, str]:
    with pytest.raises(InvalidEntry) as refusal:
        validate(given)
    position, said = refusal.value.facts["position"], str(refusal.value)
    return position, said.removeprefix(f"Entry {position} cannot be: ").removesuffix(".")


MOVE = Move(cny(1), ONE, TWO)
