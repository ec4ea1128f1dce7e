"""How refusals are asked for, in both ways, and what they may leave behind."""

from datetime import timedelta

import pytest

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Account, Journal, Unsealed
from paymentsite.ledger.services import Lapse, Terms
from tests.factories import fund, hot, points


def singly(*entries: Entry, reference: str = "r") -> Posted | DomainError:
    """What ``post`` answers."""
    try:
        return ledger.post(*entries, reference=reference)
    except DomainError as refusal:
        return refusal


def in_bulk(*entries: Entry, reference: str = "r") -> Posted | DomainError:
    """What ``post_many`` answers for one."""
    return ledger.post_many([Draft(entries=entries, reference=reference)])[0]


either_way = pytest.mark.parametrize("ask", [singly, in_bulk])


def refused(answer: Posted | DomainError) -> tuple[type[DomainError], dict[str, object]]:
    assert isinstance(answer, DomainError), answer
    return type(answer), answer.facts


def assert_only_the_refusal(before, after):
    """Row by row the book is what it was, but for the record that something was refused."""
    journal, unsealed = Journal._meta.db_table, Unsealed._meta.db_table
    new = [row for row in after[journal] if row not in before[journal]]
    waiting = [row for row in after[unsealed] if row not in before[unsealed]]
    assert [row[0] for row in new] == [row[0] for row in waiting]
    assert len(new) == 1
    assert Journal.objects.refused().filter(reference="r").count() == 1
    assert {**after, journal: before[journal], unsealed: before[unsealed]} == before
    assert [row for row in after[journal] if row in before[journal]] == before[journal]


def dead_lots() -> tuple[Account, Lapse]:
    account, today = points(), clock.today()
    fund(account, 5, Terms("x", today - timedelta(9), today - timedelta(1)))
    return account, Lapse(account, hot(unit="PTS"), today)
