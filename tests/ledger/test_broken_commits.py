"""What fails late (a commit, a disk, a connection) leaves nothing behind, and a way to go on."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from paymentsite.core import clock
from paymentsite.core.ids import uuid7
from paymentsite.ledger import services as ledger
from paymentsite.ledger import store
from paymentsite.ledger.services import journals
from tests.factories import cny, purse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("many", [1, 30])
def test_commit_that_fails_leaves_the_books_and_the_connection_as_they_were(book, many, monkeypatch):
    monkeypatch.setattr(journals, "_check_parents", lambda _drafts: None)
    source, target = purse(100), purse()
    before = book()
    nobody = uuid7(clock.now())
    drafts = [
        ledger.Draft(entries=(ledger.Move(cny(1), source, target),), reference=f"orphan {number}", parent=nobody)
        for number in range(many)
    ]

    with pytest.raises(IntegrityError):
        ledger.post_many(drafts)

    assert book() == before
    assert not connection.in_atomic_block
    assert ledger.post(ledger.Move(cny(1), source, target), reference="next").balances == {source.pk: 99, target.pk: 1}


@pytest.mark.parametrize("legs", [1, 9])
@pytest.mark.parametrize("many", [False, True])
def test_transaction_that_will_be_rolled_back_answers_nothing(book, settings, legs, many):
    settings.SANDBOX = False  # there the clock's own query would be refused first
    source, target = purse(100), purse()
    before = book()
    moves = (ledger.Move(cny(1), source, target),) * legs
    draft = ledger.Draft(entries=moves, reference="lost")
    post = partial(ledger.post_many, [draft]) if many else partial(ledger.post, *moves, reference="lost")

    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            post()

    assert book() == before


if connection.vendor == "postgresql":

    def test_connection_that_is_lost_between_two_statements_is_djangos_error():
        @transaction.atomic
        def find_when_lost() -> None:
            connection.connection.close()
            store.here().find([("ledger", "whatever")])

        with pytest.raises(OperationalError):
            find_when_lost()

        assert store.here().find([("ledger", "whatever")]) == {}


if connection.vendor == "sqlite":

    @pytest.fixture
    def full_disk() -> Iterator[Callable[[], None]]:
        """``full_disk()``: from now on the file must not grow."""

        def pragma(name: str) -> int:
            with connection.cursor() as cursor:
                return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])

        most = pragma("max_page_count")
        yield lambda: pragma(f"max_page_count = {pragma('page_count')}")
        pragma(f"max_page_count = {most}")

    def test_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(book, full_disk):
        source, target = purse(100_000), purse()
        full_disk()

        before = []

        def fill() -> None:
            while True:
                before.append(book())
                reference = f"fill {len(before)}"
                ledger.post(ledger.Move(cny(1), source, target), reference=reference, details={"long": "x" * 500})

        with pytest.raises(OperationalError, match="full"):
            fill()

        assert len(before) > 1
        assert book() == before[-1]
        assert not connection.in_atomic_block
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1000000")
        assert ledger.post(ledger.Move(cny(1), source, target), reference="next").balances[target.pk] == len(before)
