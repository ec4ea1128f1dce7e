import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import TransactionTestCase, override_settings
from django.utils import translation

from tests import measuring, tables, tables_made
from tests.made_once import made_once
from tests.planting import floorless, quick_to_see_deadlocks, reworded, unlocked, without
from tests.threads import dismiss, run_together

_SWITCH: Final = pytest.StashKey[measuring.Switch]()

__all__ = ["floorless", "made_once", "quick_to_see_deadlocks", "reworded", "unlocked", "without"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Of a whole run, only those are measured that cover what is to be covered.

    What is loaded by now stays, and the collector of cycles need not look at it again and again: that took a seventh of
    the time of the two files of tests on which it was measured.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    if database := os.environ.get("MEASURE_SOME_OF"):
        session.config.stash[_SWITCH] = measuring.Switch(measuring.files(database))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Measure this test, or do not."""
    if switch := item.config.stash.get(_SWITCH, None):
        switch.turn(item.path)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Tables come from a copy; asked for by pytest-django before it makes the test database."""
    with tables_made.copied():
        yield


@pytest.fixture(scope="session", autouse=True)
def unconnected() -> Iterator[None]:
    """No gateway is configured, the developer's own sandbox neither, but by a test that needs one."""
    with override_settings(GATEWAYS={}):
        yield


@pytest.fixture(scope="session", autouse=True)
def unadorned() -> Iterator[None]:
    """Static files are served by whitenoise to real browsers alone: each client of a test would look all of them up."""
    with override_settings(WHITENOISE_USE_FINDERS=False):
        yield


@pytest.fixture(scope="session", autouse=True)
def texting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Text messages are kept, and not beside those of the developer's own sandbox."""
    kept = tmp_path_factory.mktemp("texts") / "messages.jsonl"
    with override_settings(TEXT_MESSAGES="paymentsite.core.text_messages.kept.Kept", TEXT_MESSAGES_KEPT=str(kept)):
        yield


@pytest.fixture(scope="session", autouse=True)
def quickly_hashed() -> Iterator[None]:
    """Passwords and PINs are hashed as on the site, at the least cost: hundreds of people join in the tests."""
    with override_settings(VAULT_PIN_MEMORY_KIB=64, VAULT_PIN_PASSES=1), pytest.MonkeyPatch.context() as patch:
        for cost, least in {"time_cost": 1, "memory_cost": 64, "parallelism": 1}.items():
            patch.setattr(Argon2PasswordHasher, cost, least)
        yield


@pytest.fixture(autouse=True)
def speechless() -> Iterator[None]:
    """A page that was answered leaves its language behind in the thread; the next test speaks its own."""
    yield
    translation.deactivate()


@pytest.fixture
def unprotected() -> Callable[[], AbstractContextManager[None]]:
    """``with unprotected(): …`` plants a corruption that the triggers would refuse."""
    return tables.unprotected


@pytest.fixture(scope="session")
def _dismissed(django_db_setup: None) -> Iterator[None]:
    """Nobody is connected any more when the test database goes."""
    yield
    dismiss()


@pytest.fixture
def together(_dismissed: None) -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """``together(8, work)``: ``work(0)`` … ``work(7)`` at once, each in a thread with its own connection.

    Gives back what each returned, in order; an exception is given back too, for the test to count.
    """

    return run_together


@pytest.fixture(scope="session", autouse=True)
def _emptied_past_triggers() -> Iterator[None]:
    """A test that commits is cleaned up by emptying the tables that it filled, past the triggers that refuse that.

    Django's own way empties every table, migrates nothing anew and makes all permissions again: a third of a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: tables.empty())
        yield
