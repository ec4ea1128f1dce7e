"""A cable that is cut: the caller hears of it in time, and asking again over a fresh connection finds what was done."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import psycopg
import pytest

from tests.faults.clients import Obeying, wait_until
from tests.faults.links import Link, link
from tests.faults.servers import Postgres

pytestmark = [pytest.mark.crash, pytest.mark.xdist_group("crashes")]

# Five seconds while connecting, fifteen and what is between two probes otherwise; a hang would be hours.
IN_TIME_SECONDS = 45
BALANCE = """
SELECT b.account_id FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
WHERE a.owner = %s AND a.code = 'purse 0'
"""
WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'WITH%'"
JOURNALS = "SELECT id FROM ledger_journal WHERE reference = %s"


@pytest.fixture
def operator(server: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


def waits_for_a_lock(operator: psycopg.Connection) -> bool:
    operator.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees who is active but once
    return operator.execute(WAITING).fetchone() is not None


class Linked:
    """A client with a link of its own to the server, at work already."""

    def __init__(self, server: Postgres, name: str, stack: ExitStack) -> None:
        self.name = name
        self.link: Link = stack.enter_context(link(server.port))
        self.client = stack.enter_context(Obeying(server.url(port=self.link.port), name))
        assert "journal" in self.client.ask(f"post {name} warm")

    def tell(self) -> None:
        self.client.tell(f"post {self.name} asked")

    def fails_in_time(self) -> None:
        assert self.client.hear(seconds=IN_TIME_SECONDS) == "OperationalError"

    def has_done_it_once(self, operator: psycopg.Connection) -> None:
        """After the link is mended, the same reference is answered, and done once all in all."""
        self.link.mend()
        answer = json.loads(self.client.ask(f"post {self.name} asked"))
        stored = operator.execute(JOURNALS, [f"{self.name} asked"]).fetchall()
        assert [str(pk) for (pk,) in stored] == [answer["journal"]]


class Hanging:
    """A connection without our time-outs, which waits on a link that is cut; the control."""

    def __init__(self, server: Postgres, stack: ExitStack, *, sending: bool) -> None:
        self.link = stack.enter_context(link(server.port))
        url = f"{server.url(port=self.link.port)}?connect_timeout=5"
        # Each has the other's time-out: the probes do not help who sends, the other one not who waits.
        self._raw = psycopg.connect(url if sending else f"{url}&tcp_user_timeout=15000", autocommit=True)
        self._thread = Thread(target=self._wait, daemon=True)
        if sending:
            self.link.cut()
            self._thread.start()
        else:
            self._thread.start()
            time.sleep(1)
            self.link.cut()

    def _wait(self) -> None:
        try:
            self._raw.execute("SELECT pg_sleep(600)")
        except psycopg.OperationalError:
            self._raw.close()

    @property
    def hangs(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        self.link.reset()


def test_link_cut_is_heard_of_in_time_and_nothing_is_done_twice(server, operator):
    with ExitStack() as stack:
        connecting, sending, waiting = [Linked(server, f"cut {name}", stack) for name in ("connect", "send", "wait")]
        controls = [Hanging(server, stack, sending=True), Hanging(server, stack, sending=False)]

        # One whose connection is gone, and whose next one finds nobody there.
        connecting.link.reset()
        connecting.tell()
        connecting.fails_in_time()
        connecting.link.cut()
        connecting.tell()

        # One whose request never arrives.
        sending.link.cut()
        sending.tell()

        # One whose request arrives and is done, but whose answer is lost.
        with operator.transaction():
            operator.execute(f"{BALANCE} FOR UPDATE OF b", [f"faults:{waiting.name}"])
            waiting.tell()
            wait_until(lambda: waits_for_a_lock(operator))
            waiting.link.cut()
        wait_until(lambda: operator.execute(JOURNALS, [f"{waiting.name} asked"]).fetchone() is not None)

        for client in (connecting, sending, waiting):
            client.fails_in_time()
        assert [control.hangs for control in controls] == [True, True]
        for client in (connecting, sending, waiting):
            client.has_done_it_once(operator)
        for control in controls:
            control.end()


def test_answer_lost_on_a_link_that_was_reset_is_found_again(server, operator):
    with ExitStack() as stack:
        client = Linked(server, "reset", stack)
        with operator.transaction():
            operator.execute(f"{BALANCE} FOR UPDATE OF b", ["faults:reset"])
            client.tell()
            wait_until(lambda: waits_for_a_lock(operator))
            client.link.reset()
        client.fails_in_time()

        client.has_done_it_once(operator)


def test_slow_link_is_only_slow(server, operator):
    with ExitStack() as stack:
        client = Linked(server, "slow", stack)
        client.link.delay_seconds = 0.2
        client.tell()

        assert "journal" in client.client.hear()
        client.has_done_it_once(operator)
