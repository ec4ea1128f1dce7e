"""kill -9 at random moments: nothing acknowledged is lost, nothing is done twice, the books balance.

The control runs along: a client that acknowledges what it has not committed yet. The same check must find it out.
"""

import pytest

from tests import tables_made
from tests.faults.campaign import Report, kill_clients, kill_server
from tests.faults.servers import Postgres

pytestmark = [pytest.mark.crash, pytest.mark.xdist_group("crashes")]

KILLS = 5
HOW = {"SIGKILL": Postgres.kill, "immediate": lambda server: server.stop("immediate")}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("sqlite") / "books.sqlite3"
    tables_made.on_sqlite(path)
    return f"sqlite:///{path}"


def assert_nothing_lost(report: Report) -> None:
    assert report.honest.faults == []
    assert report.kills == KILLS
    assert report.honest.acknowledged >= 15 * KILLS


def assert_found_out(report: Report) -> None:
    [fault] = report.early.faults
    assert fault.startswith("AssertionError: lost")


def test_client_killed_on_postgresql_loses_and_doubles_nothing(server, tmp_path):
    report = kill_clients(server.url(), tmp_path, kills=KILLS)

    assert_nothing_lost(report)
    assert_found_out(report)


def test_client_killed_on_sqlite_loses_and_doubles_nothing(sqlite, tmp_path):
    # One after the other: the early one would keep the one lock of SQLite nearly all the time.
    assert_nothing_lost(kill_clients(sqlite, tmp_path, kills=KILLS, early=0))
    assert_found_out(kill_clients(sqlite, tmp_path, kills=KILLS, honest=0))


@pytest.mark.parametrize("how", HOW)
def test_postgresql_killed_under_load_loses_and_doubles_nothing(server, tmp_path, how):
    report = kill_server(server, tmp_path, kills=KILLS, how=HOW[how])

    assert_nothing_lost(report)
    assert_found_out(report)
