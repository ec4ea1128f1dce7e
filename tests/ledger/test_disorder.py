"""Processes' clocks, and who waits for whom, let what was asked first be booked last: books are read in their order."""

import threading
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction

from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal
from tests.factories import cny, purse
from tests.verified import clean

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def booked(account: Account, minor: int, at: datetime) -> None:
    """So much came (or, negative, went), by a process whose clock said ``at``."""
    cash = ledger.house("cash", "CNY")
    ends = (cash, account) if minor > 0 else (account, cash)
    with clock.standing(at):
        ledger.post(ledger.Move(cny(abs(minor)), *ends), reference=f"{minor}")


def disorder() -> tuple[Account, datetime]:
    """What came was asked for two seconds after the beginning, and what went of it, one second after it."""
    account, begun = purse(), clock.now()
    for minor, late in ((100, 2), (-70, 1), (5, 3)):
        booked(account, minor, begun + late * SECOND)
    return account, begun


def before(account: Account, at: datetime) -> Money:
    return queries.balance_at(account, at, inclusive=False)


@pytest.mark.parametrize("sealed", [False, True])
def test_account_was_never_below_its_floor(sealed):
    account, begun = disorder()
    if sealed:
        ledger.take_snapshot()

    told = [queries.balance_at(account, begun + half * SECOND / 2).minor for half in range(8)]
    assert told == [0, 0, 0, 0, 30, 30, 35, 35]
    assert [before(account, begun + half * SECOND).minor for half in range(1, 5)] == [0, 0, 30, 35]


@pytest.mark.parametrize("sealed", [False, True])
def test_periods_follow_one_another_and_each_ends_with_its_last_line(sealed):
    account, begun = disorder()
    if sealed:
        ledger.take_snapshot()
    moments = [begun + half * SECOND / 2 for half in range(8)]

    periods = [queries.statement_between(account, since=since, until=until) for since, until in pairwise(moments)]

    assert [line.seq for period in periods for line in period.lines] == [1, 2, 3]
    assert [period.opening for period in periods[1:]] == [period.closing for period in periods[:-1]]
    assert all(period.lines[-1].balance == period.closing for period in periods if period.lines)


def test_snapshot_between_them_changes_nothing_that_was_read():
    account, begun = purse(), clock.now()
    booked(account, 100, begun + 2 * SECOND)
    ledger.take_snapshot()
    booked(account, -70, begun + SECOND)
    ledger.take_snapshot()

    assert [queries.balance_at(account, begun + late * SECOND).minor for late in range(4)] == [0, 0, 30, 30]
    assert clean()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_who_asked_first_and_waited_reads_behind_what_paid_for_it(together):
    """The first waits for an account that a third act holds, and is booked once the second has brought the money."""
    busy, account, sink = purse(1_00), purse(), purse()
    held, go = threading.Event(), threading.Event()

    def work(number: int) -> Journal | None:
        if number == 0:
            with transaction.atomic():
                ledger.post(ledger.Move(cny(1), busy, sink), reference="holds the account")
                held.set()
                go.wait(20)
            return None
        held.wait(20)
        if number == 1:
            ends = (ledger.Move(cny(5), busy, sink), ledger.Move(cny(70), account, sink))
            found = ledger.post(*ends, reference="asked first").journal_id
        else:
            waits_for_a_lock()
            cash = ledger.house("cash", "CNY")
            found = ledger.post(ledger.Move(cny(100), cash, account), reference="asked later").journal_id
            go.set()
        return Journal.objects.get(pk=found)

    _, first, later = together(3, work)

    assert first.recorded_at < later.recorded_at
    assert queries.balance_at(account, first.recorded_at) == cny(0)
    assert queries.balance_at(account, later.recorded_at) == cny(30)
    period = queries.statement_between(account, since=first.recorded_at, until=later.recorded_at)
    assert (period.lines, period.closing) == ([], cny(0))
    assert clean()


def waits_for_a_lock() -> None:
    """Until somebody does."""
    with connection.cursor() as cursor:
        for _ in range(400):
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("nobody waits")
