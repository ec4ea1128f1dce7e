"""Whatever is done to the books behind the ledger's back, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from paymentsite.core import verification
from tests.ledger import books
from tests.ledger import corruptions as c
from tests.ledger.corruption_table import TABLE
from tests.ledger.corruptions import POSTGRESQL, Corruption

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Books that all tests of this module damage, each in a savepoint of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        books.build(11)
        connection.check_constraints()
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("check", "corruption"),
    [
        pytest.param(check, found, id=f"{check}: {found.what}")
        for check, rows in TABLE.items()
        for found in rows
        if found.vendor in {"", connection.vendor}
    ],
)
def test_corruption_is_found_and_named(
    standing: None, unprotected: Callable[[], AbstractContextManager[None]], check: str, corruption: Corruption
) -> None:
    with transaction.atomic():
        subject = plant(corruption, unprotected)
        report = verification.discover().run(only=[check])
        transaction.set_rollback(True)

    assert subject in {finding.subject for finding in report.findings}


def test_standing_books_are_clean(standing: None) -> None:
    assert verification.discover().run().findings == []


def test_every_check_of_the_ledger_has_a_corruption() -> None:
    checks = [check for check in verification.discover().checks.values() if not check.needs]

    assert {check.name for check in checks if check.name.startswith("ledger.")} <= set(TABLE)


def plant(corruption: Corruption, unprotected: Callable[[], AbstractContextManager[None]]) -> str:
    """Do it, and say which subject a finding must name."""
    with connection.cursor() as cursor:
        cursor.execute(corruption.pick)
        picked = cursor.fetchone()
    assert picked, f"nothing in these books for {corruption.what}"
    if corruption.loosens:
        loosen(*corruption.loosens)
    # What is done to the guards themselves must not be undone on the way out.
    guarded = [act for act in corruption.acts if act not in c.ON_GUARDS]
    with unprotected():
        for act in guarded:
            do(act, picked)
    for act in corruption.acts:
        if act in c.ON_GUARDS:
            do(act, picked)
    return corruption.subject.format(*map(shown, picked), nobody=UUID(c.NOBODY))


def do(act: c.Act, picked: tuple[Any, ...]) -> None:
    if callable(act):
        act(*picked)
        return
    words = (f"'\\x{'0' * 64}'", "ON ledger_posting") if connection.vendor == POSTGRESQL else (f"x'{'0' * 64}'", "")
    with connection.cursor() as cursor:
        cursor.execute(act.format(*picked, zeros=words[0], on_posting=words[1]))


def loosen(table: str, constraint: str) -> None:
    """Take a constraint away; on SQLite, by putting a copy without any in the table's place."""
    table = f"ledger_{table}"
    statements = [f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"]
    if connection.vendor != POSTGRESQL:
        statements = [
            f"CREATE TABLE bare AS SELECT * FROM {table}",  # noqa: S608  one of our own tables
            f"DROP TABLE {table}",
            f"ALTER TABLE bare RENAME TO {table}",
        ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def shown(value: object) -> str:
    """A UUID as findings write it."""
    text = str(value)
    return str(UUID(text)) if len(text) == len(c.NOBODY) else text
