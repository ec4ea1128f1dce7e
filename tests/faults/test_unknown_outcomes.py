"""A commit that no standby confirmed is no success, whatever the server answers; the same reference tells the end."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from paymentsite.core import database
from tests.faults.clients import Obeying, wait_until
from tests.faults.servers import Postgres

pytestmark = [pytest.mark.crash, pytest.mark.xdist_group("crashes")]

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'"


@pytest.fixture(scope="module")
def lonely(server: Postgres) -> Iterator[str]:
    """A server whose commits wait for a standby that there is none of."""
    server.stop()
    server.start(synchronous_standby_names="nobody")
    yield server.url()
    server.stop()
    server.start()


@pytest.fixture
def operator(lonely: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lonely, autocommit=True) as connection:
        yield connection


def unconfirmed(client: Obeying, operator: psycopg.Connection, act: str) -> None:
    """The client does an act, somebody cancels its wait for the standby, and it says that it does not know."""
    client.tell(act)
    wait_until(lambda: operator.execute(WAITING).fetchone() is not None)
    assert operator.execute(f"SELECT count(pg_cancel_backend(pid)) FROM ({WAITING}) w").fetchone() == (1,)  # noqa: S608
    assert client.hear() == "OutcomeUnknown"


@pytest.mark.parametrize("way", ["post", "act"])
def test_commit_that_no_standby_confirmed_is_an_unknown_outcome(lonely, operator, way):
    with Obeying(lonely, "lonely") as client:
        unconfirmed(client, operator, f"{way} once by {way}")

        # Asked again while the standby is still away, it is no more certain than before.
        unconfirmed(client, operator, f"{way} once by {way}")

        # It did happen here, and once: the same reference gives its first answer when nobody must confirm it.
        first = json.loads(client.ask(f"local once by {way}"))
        assert json.loads(client.ask(f"local once by {way}")) == first
    stored = operator.execute("SELECT id FROM ledger_journal WHERE reference = %s", [f"once by {way}"]).fetchall()
    assert [str(pk) for (pk,) in stored] == [first["journal"]]


@pytest.mark.parametrize("way", ["post", "act"])
def test_client_that_does_not_listen_takes_it_for_a_success(lonely, operator, way):
    with Obeying(lonely, "deaf", what="deaf") as client, pytest.raises(AssertionError, match='"journal"'):
        unconfirmed(client, operator, f"{way} unheard by {way}")


def test_doubt_is_over_once_it_was_told(lonely, operator):
    with Obeying(lonely, "lonely") as client:
        unconfirmed(client, operator, "post told")

        assert "journal" in json.loads(client.ask("local certain"))


def test_warning_of_anybody_else_is_no_doubt(operator):
    heard: list[str | None] = []
    operator.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    operator.add_notice_handler(lambda notice: database._hear(lambda: operator, notice))

    operator.execute("DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'; END $$")

    assert heard == ["canceling wait for synchronous replication"]
    assert operator not in database._in_doubt
