"""What holds for every test: which ones run where, and that none is left out unseen."""

import os
import unittest

import pytest
from django.conf import settings

ON_POSTGRESQL_ONLY = ("race", "crash")
TAKES_LONG = ("story", "crash", "first")
USES_THE_DATABASE = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Races and crashes are proven on PostgreSQL, long ones when asked for; elsewhere they are not there."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    long_asked = "long" in config.getoption("markexpr")
    # What touches no database says the same beside every one, and so do pages, and controls that show what a model
    # finds: a whole run says it once, on SQLite.
    run_elsewhere = "RUN_ON_SQLITE_TOO" in os.environ and not sqlite
    out = [
        item
        for item in items
        if (sqlite and any(item.get_closest_marker(name) for name in ON_POSTGRESQL_ONLY))
        or (item.get_closest_marker("long") and not long_asked)
        or (run_elsewhere and (says_the_same_beside_every_database(item) or not uses_the_database(item)))
    ]
    if out:
        config.hook.pytest_deselected(items=out)
        gone = set(out)
        items[:] = [item for item in items if item not in gone]
    # What takes long begins first, so that nobody waits at the end for one of them alone.
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in TAKES_LONG))


def says_the_same_beside_every_database(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("browser", "once"))


def uses_the_database(item: pytest.Item) -> bool:
    cls = getattr(item, "cls", None)
    return (
        any(item.get_closest_marker(name) for name in ("django_db", *ON_POSTGRESQL_ONLY))
        or not USES_THE_DATABASE.isdisjoint(getattr(item, "fixturenames", ()))
        or (cls is not None and issubclass(cls, unittest.TestCase))
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nobody watches, a skipped test is a failure: a tool was missing, and something is unproven."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or os.environ.get("CI", "") in {"", "0", "false"}:
        return
    for report in reporter.stats.get("skipped", []):
        reporter.write_line(f"\nSkipped, which fails the run: {report.nodeid}: {report.longrepr[-1]}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
