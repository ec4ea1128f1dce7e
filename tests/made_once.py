"""What all tests of a module begin with, made for the first of them and there for all: each gets a copy to itself, and
what it does to the database is undone.

    @pytest.fixture(scope="module")
    def made(made_once: MadeOnce) -> Book:
        return made_once(make_book)

    @pytest.fixture
    def book(made: Book, db: None) -> Book:
        return deepcopy(made)

Not for modules with tests that commit, nor with ones that want the database empty. What is kept elsewhere, such as a
gateway's file, is not undone: each test gets a copy of that, too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

MadeOnce = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[MadeOnce]:
    """``made_once(make)``: what ``make`` makes, in a transaction that is open for as long as the module's tests run."""

    def made(make: Callable[[], Any]) -> Any:
        with django_db_blocker.unblock():
            return make()

    around = transaction.atomic()
    # As of Django's own test cases: an act that must be outermost may be, inside it.
    around._from_testcase = True  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        around.__enter__()
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)
