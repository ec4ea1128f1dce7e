"""The rules about which tests run are tests' business too: a suite that leaves out what it should prove is green."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = """
import pytest

def test_plain(): pass

@pytest.mark.race
def test_race(): pass

@pytest.mark.crash
def test_crash(): pass

@pytest.mark.long
def test_long(): pass
"""
SETTINGS = """
import environ

DATABASES = {"default": environ.Env().db_url("DATABASE_URL", default="sqlite:///x.sqlite3")}
"""
SKIPPED = 'import pytest\n\ndef test_needs_a_tool(): pytest.skip("no such tool")\n'
SKIPPED_WHOLE = 'import pytest\npytest.importorskip("no_such_module")\n'


def run(folder, source, *words, **environment):
    """What pytest says of ``source`` under the repository's own rules, in a folder of its own."""
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (folder / "test_it.py").write_text(source)
    # The rules ask the settings for nothing but the database, and the site's own take a second to read.
    (folder / "some_settings.py").write_text(SETTINGS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  race\n  crash\n  long\n  browser\n")
    bare = {
        name: value for name, value in os.environ.items() if name not in {"CI", "DATABASE_URL", "RUN_ON_SQLITE_TOO"}
    }
    bare |= {
        "PYTHONPATH": str(folder),
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    } | environment
    words = ["-p", "pytest_django.plugin", "--ds=some_settings", "-p", "no:cacheprovider", *words]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=folder, env=bare, capture_output=True, text=True, check=False
    )


def test_races_and_crashes_do_not_exist_on_sqlite(tmp_path):
    done = run(tmp_path, TESTS, DATABASE_URL="sqlite:///x.sqlite3")

    assert "1 passed, 3 deselected" in done.stdout
    assert done.returncode == 0


def test_races_and_crashes_run_on_postgresql(tmp_path):
    done = run(tmp_path, TESTS, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    assert "3 passed, 1 deselected" in done.stdout


def test_what_touches_no_database_runs_once_in_a_whole_run(tmp_path):
    source = TESTS + "\n@pytest.mark.django_db\ndef test_rows(): pass\n"
    source += "\n@pytest.mark.browser\n@pytest.mark.django_db\ndef test_page(): pass\n"
    source += "\n@pytest.mark.once\n@pytest.mark.django_db\ndef test_control(): pass\n"

    here = run(tmp_path, source, "--collect-only", "-q", DATABASE_URL="sqlite:///x.sqlite3", RUN_ON_SQLITE_TOO="1")
    there = run(
        tmp_path,
        source,
        "--collect-only",
        "-q",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        RUN_ON_SQLITE_TOO="1",
    )

    names = [{line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line} for done in (here, there)]
    assert names == [{"test_plain", "test_rows", "test_page", "test_control"}, {"test_race", "test_crash", "test_rows"}]


def test_those_of_a_group_run_in_one_process(tmp_path):
    """They share servers: in several processes each would start its own."""
    source = (
        'import pytest\n\n@pytest.mark.xdist_group("one")\n@pytest.mark.parametrize("n", range(8))\ndef test(n): pass\n'
    )

    done = run(tmp_path, source, "-p", "xdist.plugin", "-n", "2", "--dist=loadgroup", "-v")

    assert "8 passed" in done.stdout
    assert len({line.split()[0] for line in done.stdout.splitlines() if line.startswith("[gw")}) == 1


def test_long_ones_run_when_asked_for(tmp_path):
    done = run(tmp_path, TESTS, "-m", "long")

    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("source", "processes"), [(SKIPPED, []), (SKIPPED, ["-p", "xdist.plugin", "-n", "1"]), (SKIPPED_WHOLE, [])]
)
def test_skipped_test_fails_the_run_in_ci_and_is_named(tmp_path, source, processes):
    done = run(tmp_path, source + TESTS, *processes, CI="true")

    assert done.returncode == 1
    assert "Skipped, which fails the run: test_it.py" in done.stdout


def test_skipped_test_is_no_failure_at_a_desk(tmp_path):
    done = run(tmp_path, SKIPPED)

    assert done.returncode == 0


def test_run_in_ci_without_a_skip_is_no_failure(tmp_path):
    done = run(tmp_path, TESTS, CI="true")

    assert done.returncode == 0


def test_expected_failure_is_no_skip(tmp_path):
    source = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_bug(): assert 0\n"

    assert run(tmp_path, source, CI="true").returncode == 0
