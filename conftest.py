"""What holds for every test: which ones run where, and that none is left out unseen."""

import os

import pytest
from django.conf import settings

ON_POSTGRESQL_ONLY = ("race", "crash")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Races and crashes are proven on PostgreSQL, long ones when asked for; elsewhere they are not there."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    long_asked = "long" in config.getoption("markexpr")
    out = [
        item
        for item in items
        if (sqlite and any(item.get_closest_marker(name) for name in ON_POSTGRESQL_ONLY))
        or (item.get_closest_marker("long") and not long_asked)
    ]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nobody watches, a skipped test is a failure: a tool was missing, and something is unproven."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or os.environ.get("CI", "") in {"", "0", "false"}:
        return
    for report in reporter.stats.get("skipped", []):
        reporter.write_line(f"\nSkipped, which fails the run: {report.nodeid}: {report.longrepr[-1]}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
