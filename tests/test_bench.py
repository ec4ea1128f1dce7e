"""The bench runs and tells every figure. How large they are is never asserted: that is a matter of the machine."""

import json
import os
import subprocess
from pathlib import Path

import pytest

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
@pytest.mark.race
def test_quick_bench_tells_every_figure_as_a_number_and_writes_its_page(tmp_path):
    page = tmp_path / "performance.md"

    done = subprocess.run(
        ["./script/bench", "--quick", "--json", "--output", page],
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
    assert "./script/bench --quick --json" in page.read_text()


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
