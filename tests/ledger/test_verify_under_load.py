"""Verify while others write, and with several processes: one moment for all of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from paymentsite.core import reading
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from paymentsite.ledger.verify import journals, recount
from tests.factories import cny, hot, purse
from tests.ledger import books
from tests.ledger.verifying import faults, verify

pytestmark = pytest.mark.django_db

Unprotected = Callable[[], AbstractContextManager[None]]


class Meddler:
    """Posts and seals on another connection between the statements of this one."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.source, self.target, self.done = hot(), purse(), 0
        self.statements = Counter[str]()

    def __call__(self, execute: Callable[..., Any], *given: Any) -> Any:
        self.statements["all"] += 1
        if self.statements["all"] % 5 == 0:
            self.pool.submit(self.meddle).result()
        return execute(*given)

    def meddle(self) -> None:
        self.done += 1
        ledger.post(ledger.Move(cny(1), self.source, self.target), reference=f"meddle {self.done}")
        placed = ledger.post(ledger.Place(cny(1), self.target), reference=f"hold {self.done}")
        assert placed.holds
        if self.done % 2:
            ledger.close_blocks()

    def stop(self) -> None:
        self.pool.submit(lambda: connection.close()).result()  # noqa: PLW0108  that thread's connection, not this one's
        self.pool.shutdown()


@contextmanager
def meddling() -> Iterator[Meddler]:
    """Meddle between the statements of this connection, and between those that go past Django to the driver."""
    meddler = Meddler()
    read = recount._read

    def read_late(rows: Any) -> Any:
        meddler.pool.submit(meddler.meddle).result()
        return read(rows)

    try:
        with connection.execute_wrapper(meddler), pytest.MonkeyPatch.context() as patch:
            patch.setattr(recount, "_read", read_late)
            yield meddler
    finally:
        meddler.stop()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_books_that_change_while_verify_reads_raise_no_alarm() -> None:
    books.build(1, acts=60)

    with meddling() as meddler:
        report = verify()

    assert report.findings == []
    assert meddler.done >= 20
    assert Journal.objects.filter(reference__startswith="meddle").count() == meddler.done
    assert verify().findings == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_one_view_the_same_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    books.build(1, acts=60)
    monkeypatch.setattr(reading, "one_view", transaction.atomic)

    with meddling() as meddler:
        report = verify()

    assert report.findings != []
    assert meddler.done >= 20
    monkeypatch.undo()
    assert verify().findings == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_several_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch, unprotected: Unprotected) -> None:
    books.build(1, acts=60)
    ledger.close_blocks(size=20)
    monkeypatch.setattr(journals, "PART", 20)
    monkeypatch.setattr(journals, "processes", lambda _: 2)

    whole = verify()
    assert (whole.findings, whole.seen["journals"]) == ([], Journal.objects.count())

    with unprotected():
        Journal.objects.filter(kind="deposit").update(actor="staff:9")
    deposits = Journal.objects.filter(kind="deposit").values_list("pk", flat=True)
    damaged = {("ledger.journal_digest", f"journal {pk}") for pk in deposits}
    assert faults(verify()) == damaged
    monkeypatch.undo()
    assert faults(verify()) == damaged
