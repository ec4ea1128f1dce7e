"""A database of production stays production's, and play money never gets to where real money is."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as site
from django.db import IntegrityError, connection, transaction

from paymentsite.core import checks, realms
from paymentsite.core.models import Realm
from paymentsite.core.realms import OfProduction


def of(kind: str) -> None:
    Realm.objects.all().delete()
    Realm.objects.create(id=1, kind=kind)


@pytest.fixture
def made_for(unprotected):
    """The database was migrated first by the one or the other."""

    def make(kind: str) -> None:
        with unprotected():
            of(kind)

    yield make
    # Not to be left to whoever connects next.
    with unprotected():
        Realm.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_sandbox_is_connected_to_no_database_of_production(made_for):
    made_for(realms.PRODUCTION)
    another = connection.copy()

    with pytest.raises(OfProduction, match="This database is production's, and SANDBOX is set"):
        another.connect()
    # One in memory, of the tests, is never closed.
    assert another.connection is None or connection.vendor == "sqlite"

    made_for(realms.SANDBOX)
    another.connect()
    another.close()


@pytest.mark.django_db(transaction=True)
def test_production_is_connected_to_its_own(made_for, settings):
    made_for(realms.PRODUCTION)
    settings.SANDBOX = False

    another = connection.copy()
    another.connect()
    another.close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sandbox", "production", "kind"), [(True, False, "sandbox"), (False, True, "production"), (False, False, "")]
)
def test_what_migrates_it_first_says_what_it_is_for(unprotected, settings, sandbox, production, kind):
    with unprotected():
        Realm.objects.all().delete()
    settings.SANDBOX, settings.PRODUCTION = sandbox, production

    for _ in range(2):
        realms.mark_after_migrate(app_config=apps.get_app_config("core"), using="default")
        settings.SANDBOX, settings.PRODUCTION = bool(kind) and production, bool(kind) and sandbox

    assert realms.kind_of(connection) == kind


@pytest.mark.django_db
def test_production_does_not_start_on_what_was_a_sandbox(made_for, settings):
    settings.PRODUCTION = True

    made_for(realms.SANDBOX)
    [problem] = checks.own_database(databases=["default"])
    assert (problem.id, problem.msg) == (
        "paymentsite.E031",
        "This database was filled in a sandbox: it holds money that does not exist.",
    )
    made_for(realms.PRODUCTION)
    assert list(checks.own_database(databases=["default"])) == []


@pytest.mark.django_db
def test_what_it_is_for_is_written_once(made_for):
    made_for(realms.SANDBOX)

    with pytest.raises(IntegrityError, match="its rows are written once"), transaction.atomic():
        Realm.objects.update(kind=realms.PRODUCTION)


@pytest.mark.once
@pytest.mark.parametrize("command", [("clock", "--by", "30d"), ("demo",), ("migrate",)], ids=lambda words: words[0])
def test_command_of_a_sandbox_is_refused_in_one_sentence(tmp_path: Path, command: tuple[str, ...]):
    path = tmp_path / "db.sqlite3"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE core_realm (id INTEGER PRIMARY KEY, kind TEXT)")
        made.execute("INSERT INTO core_realm VALUES (1, 'production')")
    made.close()
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}

    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=site.ROOT,
        env={**bare, "SANDBOX": "1", "DATABASE_URL": f"sqlite:///{path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("OfProduction: This database is production's, and SANDBOX is set: unset it.")
    assert done.stderr.count("\n") == 1
