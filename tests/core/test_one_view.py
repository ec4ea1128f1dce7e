"""One view of a SQLite file, from its own process: it stays as it is, and no writer waits for it."""

import os
import subprocess
import sys
from pathlib import Path

from tests import tables_made

# What a fresh process does with a database of its own: reads, lets somebody else write meanwhile, and reads again.
READS_TWICE = """
import django
from concurrent.futures import ThreadPoolExecutor

django.setup()
from django.core.management import call_command
from django.db import connection
from paymentsite.core import reading
from paymentsite.core.models import JobRun

with ThreadPoolExecutor(1) as others, reading.one_view():
    before = JobRun.objects.count()
    others.submit(lambda: (JobRun.objects.create(name="a", slot="2026-01-01T00:00Z"), connection.close())).result(9)
    assert (before, JobRun.objects.count()) == (0, 0)
assert JobRun.objects.count() == 1
call_command("verify")
"""


def test_one_view_on_sqlite_stays_as_it_is_and_makes_no_writer_wait(tmp_path: Path) -> None:
    tables_made.on_sqlite(tmp_path / "site.sqlite3")
    surroundings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "DJANGO_SETTINGS_MODULE": "paymentsite.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", READS_TWICE],
        env={**os.environ, **surroundings, "SANDBOX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith("all is well.")
