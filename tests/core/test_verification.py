"""The run over all promises: what is refused, contained, left out, remembered, and said."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from paymentsite.core import reading, verification
from paymentsite.core.actors import Actor
from paymentsite.core.findings import Finding
from paymentsite.core.models import JobRun, LastGoodRun
from paymentsite.core.verification import KEPT_MAX, Fault, Registry, Run, UnknownCheck

pytestmark = pytest.mark.django_db

ANN = Actor("staff", "1")


@pytest.fixture
def registry() -> Registry:
    return Registry()


def broken(*faults: Fault) -> Callable[[Run], Iterator[Fault]]:
    return lambda _: iter(faults)


def test_check_refuses_a_name_that_is_taken(registry: Registry) -> None:
    registry.check("a.one", "One.")(broken())

    with pytest.raises(TypeError, match=r"there is a check 'a\.one' already"):
        registry.check("a.one", "Another.")(broken())


def test_run_refuses_a_name_that_no_check_has(registry: Registry) -> None:
    registry.check("apple.one", "One.")(broken())

    with pytest.raises(UnknownCheck, match="app"):
        registry.run(only=["app"])


def test_run_takes_checks_and_whole_apps(registry: Registry) -> None:
    for name in ("a.one", "a.two", "b.one", "b.two"):
        registry.check(name, "A promise.")(broken((name, "broken")))

    report = registry.run(only=["b", "a.two", "b.one"])

    assert [result.check.name for result in report.results] == ["b.one", "b.two", "a.two"]
    assert not report.good
    assert report.findings[0] == Finding("b.one", "b.one", "broken")


def test_check_that_crashes_is_a_finding_and_stops_no_other(registry: Registry) -> None:
    @registry.check("a.crash", "It can be read.")
    def crash(_: Run) -> Iterator[Fault]:
        yield "row 1", "broken"
        raise ValueError("unreadable")

    @registry.check("a.sql", "The table is there.")
    def sql(_: Run) -> Iterator[Fault]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        yield from ()

    registry.check("a.last", "The last one runs.")(lambda _: [(str(JobRun.objects.count()), "counted")])

    crashed, failed, last = registry.run().results

    assert [finding.subject for finding in crashed.findings] == ["row 1", "the check itself"]
    assert crashed.findings[1].detail == "could not finish: ValueError: unreadable"
    assert failed.findings[0].subject == "the check itself"
    assert last.findings == [Finding("a.last", "0", "counted")]


@pytest.mark.parametrize("how", ["rolled back", "swallowed"])
def test_check_that_leaves_its_transaction_broken_hides_nothing_of_the_next(registry: Registry, how: str) -> None:
    @registry.check("a.bad", "It reads.")
    def bad(_: Run) -> Iterator[Fault]:
        swallowed = suppress(DatabaseError if how == "swallowed" else ())
        with swallowed, transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        yield from ()

    registry.check("a.last", "The last one runs.")(lambda _: [(str(JobRun.objects.count()), "counted")])

    failed, last = registry.run().results

    assert [finding.subject for finding in failed.findings] == (["the check itself"] if how == "rolled back" else [])
    assert last.findings == [Finding("a.last", "0", "counted")]


def test_check_lists_the_first_of_very_many_findings_and_counts_all(registry: Registry) -> None:
    registry.check("a.many", "None.")(lambda _: ((f"row {number}", "broken") for number in range(KEPT_MAX + 5)))

    (result,) = registry.run().results

    assert (result.count, len(result.findings)) == (KEPT_MAX + 5, KEPT_MAX)


def test_check_that_needs_something_from_outside_runs_with_it(registry: Registry) -> None:
    registry.check("a.outside", "It is there.", needs="list")(lambda run: [(run.outside["list"], "missing")])

    assert registry.run().results == []
    assert registry.run(outside={"list": "x"}).findings == [Finding("a.outside", "x", "missing")]


def test_run_makes_once_what_checks_share(registry: Registry) -> None:
    made = []

    def look(_: Run) -> list[Fault]:
        made.append(1)
        return [("row 1", "broken")]

    for name in ("a.one", "a.two"):
        registry.check(name, "One look.")(lambda run: run.once(look))

    assert len(registry.run().findings) == 2
    assert made == [1]


def test_good_run_is_remembered_for_the_next_fast_one(registry: Registry) -> None:
    seen: list[Any] = []
    registry.check("a.one", "One.")(lambda run: seen.append(run.since) or ())
    registry.check("a.whole", "Everything.", whole=True)(lambda _: seen.append("whole") or ())
    registry.mark("a")(lambda: {"last": len(seen)})

    assert registry.run(fast=True).since is None
    first = LastGoodRun.objects.get()
    report = registry.run(fast=True)

    second = LastGoodRun.objects.get()
    assert seen == [None, "whole", {"a": {"last": 2}}]
    assert report.since == first.at
    assert (second.whole_at, second.marks) == (first.whole_at, {"a": {"last": 3}})
    assert second.at > first.at
    assert str(second) == f"good at {second.at:%Y-%m-%d %H:%M:%S}"


def test_bad_or_partial_run_is_not_remembered(registry: Registry) -> None:
    registry.check("a.good", "Good.")(broken())
    registry.check("b.bad", "Bad.")(broken(("row 1", "broken")))

    registry.run()
    registry.run(only=["a"])

    assert not LastGoodRun.objects.exists()


def test_one_view_inside_a_transaction_is_that_one() -> None:
    with CaptureQueriesContext(connection) as queries, reading.one_view():
        pass

    assert len(queries) == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_view_on_postgresql_stays_as_it_is_and_makes_no_writer_wait() -> None:
    def write() -> None:
        JobRun.objects.create(name="a", slot="2026-01-01T00:00Z")
        connection.close()

    with ThreadPoolExecutor(1) as others, reading.one_view():
        before = JobRun.objects.count()
        others.submit(write).result(timeout=9)
        assert (before, JobRun.objects.count()) == (0, 0)

    assert JobRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_spread_reads_on_one_view_in_several_processes() -> None:
    with reading.one_view():
        assert list(reading.spread(divmod_of_seven, [7, 15], processes=2)) == [(1, 0), (2, 1)]
    assert list(reading.spread(divmod_of_seven, [7, 15], processes=2)) == [(1, 0), (2, 1)]


def divmod_of_seven(number: int) -> tuple[int, int]:
    return divmod(number, 7)


def test_every_check_is_told_of_in_the_docs() -> None:
    told = Path("docs/verify.md").read_text(encoding="utf-8")

    for check in verification.discover().checks.values():
        assert f"| `{check.name}` | {check.promise} |" in told
