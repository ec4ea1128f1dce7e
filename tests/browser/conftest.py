import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

# Playwright keeps an event loop in the test's own thread, where Django would see asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# What a page under test asks for and is rightly refused.
EXPECTED = "the server responded with a status of 40"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("There is no Chromium: apt install chromium.")
    return {"executable_path": found, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


@pytest.fixture(scope="session", autouse=True)
def shared(django_db_setup: None, live_server: LiveServer) -> None:
    """Let the server's threads use our connection until the end, where they have none of their own: in SQLite's memory.

    A thread lives as long as the browser keeps its socket open, which may be longer than the server.
    """
    for connection in live_server.thread.connections_override.values():
        connection.inc_thread_sharing()


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """``visit("/path/", locale=…)`` opens a page as a new visitor; afterwards no browser may have complained."""
    complaints: list[str] = []

    def open_page(path: str, **visitor: Any) -> Page:
        page = browser.new_context(base_url=live_server.url, **{"locale": "en", **visitor}).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in browser.contexts:
        context.close()
    assert [complaint for complaint in complaints if EXPECTED not in complaint] == []
