"""The bench runs and tells every figure. How large they are is never asserted: that is a matter of the machine."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.peers import orm
from bench.work.books import CENT
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from paymentsite.ledger.services import Move
from tests.factories import purse
from tests.ledger.verifying import verify

ROOT = Path(__file__).resolve().parent.parent

PROMISED = {
    *(f"{name}_{clients}" for name in ("single", "hot", "orm", "hordak", "hot_over_uniform") for clients in (1, 4, 8)),
    "hot_over_uniform",
    *("many", "many_100", "many_1000", "many_10000"),
    *("statement_growth", "statement_growth_strict_first", "statement_growth_strict_deep"),
    *("statement_growth_deferred_first", "statement_growth_deferred_deep"),
    *("balance_growth", "balance_growth_strict", "balance_growth_deferred"),
    "sqlite_over_orm",
}


# It needs PostgreSQL whatever database the other tests run on, so it runs once, beside those that do too.
@pytest.mark.first
@pytest.mark.race
def test_quick_bench_tells_every_figure_as_a_number_and_writes_its_page(tmp_path):
    page = tmp_path / "performance.md"

    done = subprocess.run(
        ["./script/bench", "--quick", "--lap", "0.1", "--json", "--output", page],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "SANDBOX"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    raw = found.pop("raw")
    assert set(found) == PROMISED
    assert [name for name, value in (found | raw).items() if type(value) not in {int, float} or value < 0] == []
    assert "./script/bench --quick --lap 0.1 --json" in page.read_text()


@pytest.mark.race
def test_quick_bench_of_cards_writes_its_page(tmp_path):
    page = tmp_path / "cards.md"

    done = subprocess.run(
        ["./script/bench-cards", "--quick", "--output", page],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "SANDBOX"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[2:]] == ["| alone", "| wide range", "| crowded"]
    assert all(float(figure.strip(" |")) > 0 for row in rows[2:] for figure in row[1:])


@pytest.mark.django_db
def test_orm_reference_leaves_what_the_ledger_leaves():
    source, target = purse(10), purse()

    orm.transfer(source, target, reference="by the ORM")
    ledger.post(Move(CENT, source, target), reference="by the ledger", scope="bench orm")

    assert verify().findings == []
    assert told("by the ORM") == told("by the ledger")
    with pytest.raises(ValueError, match="insufficient funds"):
        orm.transfer(purse(), target, reference="nothing there")


def told(reference: str) -> tuple[Any, ...]:
    journal = Journal.objects.get(reference=reference)
    [posting] = journal.postings.all()
    row = (journal.kind, journal.actor, journal.source, journal.details, journal.refusal, posting.unit)
    return *row, posting.position, posting.amount_minor, posting.source_seq - posting.target_seq


def test_bench_refuses_a_database_that_is_no_postgresql():
    done = subprocess.run(
        ["./script/bench", "--quick"],
        cwd=ROOT,
        env=dict(os.environ) | {"DATABASE_URL": "sqlite:///elsewhere.sqlite3"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "DATABASE_URL names no PostgreSQL; unset it, and one is started.\n"
