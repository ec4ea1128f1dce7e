"""What stops the start. Each is shown on a real start: a process of its own, real servers behind it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings

from members.models import User
from paymentsite.core import checks
from tests.servers import postgres, valkey

# The servers are started once, in whichever process runs this file.
pytestmark = pytest.mark.xdist_group("boot")

SECRET = "correct-horse-battery-staple-0123456789-ABCDEFGHIJKLMNOP"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    manage("new_keys", "--file", str(path), SANDBOX="1")
    (path.parent / "staticfiles.json").write_text('{"version": "1.1", "paths": {}, "hash": ""}')
    return path


@pytest.fixture
def production(keys: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which everything is as it should be."""
    return {
        "SECRET_KEY": SECRET,
        "ALLOWED_HOSTS": "pay.example.com",
        "VAULT_KEYS_FILE": str(keys),
        "STATIC_ROOT": str(keys.parent),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres(database="postgres") as url:
        yield url


@pytest.fixture(scope="module")
def keeping_broker() -> Iterator[str]:
    with valkey(appendonly="yes") as url:
        yield url


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *words],
        cwd=settings.ROOT,
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def manage(*words: str, **environment: str) -> None:
    done = run("manage.py", *words, **environment)
    assert done.returncode == 0, done.stderr


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Start as a web server does: by importing the application."""
    return run("-c", "import paymentsite.wsgi", **environment)


def test_safe_settings_start_without_a_word(production):
    started = start(**production)

    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")


def test_what_does_not_work_without_text_messages_is_said_and_stops_nothing(production):
    told = run("manage.py", "check", **production)

    assert told.returncode == 0
    assert "Text messages are not set up: nobody can prove a phone number" in told.stderr


# Each is unsafe alone. Those of one line stand beside each other, so that one start says them all.
UNSAFE: Final[tuple[dict[str, tuple[str, str]], ...]] = (
    {
        "SECRET_KEY": ("", "SECRET_KEY is missing. Set SECRET_KEY, or SECRET_KEY_FILE,"),
        "VAULT_KEYS_FILE": ("", "(paymentsite.E013)"),
        "ALLOWED_HOSTS": ("", "ALLOWED_HOSTS is empty."),
        "EMAIL_URL": ("consolemail://", "EMAIL_URL sends mail nowhere: it is console."),
        "BUSINESS_TIME_ZONE": ("Mars/Base", "BUSINESS_TIME_ZONE is 'Mars/Base', which is none."),
        "BROKER_URL": ("memory://", "The broker memory:// keeps nothing. Set REDIS_URL."),
        "STAFF_SECOND_FACTOR_REQUIRED": ("0", "STAFF_SECOND_FACTOR_REQUIRED is off. Unset it."),
    },
    {
        "SECRET_KEY": ("only-for-development-and-tests-" + "x" * 32, "SECRET_KEY is the one for development"),
        "VAULT_KEYS_FILE": ("/nowhere/keys.json", "(paymentsite.E013)"),
        "ALLOWED_HOSTS": ("*", "ALLOWED_HOSTS lets any name in."),
        "TRANSFER_PIN_ABOVE": ('{"CNY": "x"}', "TRANSFER_PIN_ABOVE is not an amount for each currency."),
        "STATIC_ROOT": ("/nowhere", "Static files are not collected. Run manage.py collectstatic."),
        "REDIS_URL": ("redis://127.0.0.1:1/0", "The broker does not answer:"),
        "TEXT_MESSAGES": (
            "paymentsite.core.text_messages.kept.Kept",
            "TEXT_MESSAGES names what writes codes to the log",
        ),
    },
    {
        "SECRET_KEY": ("short", "SECRET_KEY is too short or too plain to be random."),
        "ALLOWED_HOSTS": ("pay.example.com,.com", "ALLOWED_HOSTS lets in any name that ends in .com."),
        "STANDING_ORDER_MAX": ('{"PTS": 1}', "STANDING_ORDER_MAX is not an amount for each currency."),
        "DATABASE_URL": ("postgresql://nobody@127.0.0.1:1/none", "The database does not answer:"),
        "TEXT_MESSAGES_URL": ("https://texts.example.com", "TEXT_MESSAGES_SECRET is missing"),
    },
    {"SECRET_KEY": ("ab" * 40, "SECRET_KEY is too short or too plain to be random.")},
)


@pytest.mark.parametrize("unsafe", UNSAFE, ids=" ".join)
def test_unsafe_settings_stop_the_start_and_each_says_why(production, unsafe):
    started = start(**production | {name: value for name, (value, _sentence) in unsafe.items()})

    assert started.returncode == checks.REFUSED
    lines = started.stderr.splitlines()
    for _value, sentence in unsafe.values():
        assert [line for line in lines if sentence in line], sentence
    assert all(line.startswith("Refusing to start: ") for line in lines)
    # The safe settings beside them are not complained of; a database that is shared wants Redis twice.
    assert len(lines) <= len(unsafe) + 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"DEBUG": "1"}, "DEBUG is on where others can reach the site. Unset DEBUG. (paymentsite.E001)"),
        ({"DEBUG": "1", "PRODUCTION": "1"}, "DEBUG is on where others can reach the site."),
        ({"SANDBOX": "1", "PRODUCTION": "1"}, "SANDBOX is on beside PRODUCTION. Unset one of them."),
        ({"VAULT_PIN_MEMORY_KIB": "8192", "VAULT_PIN_PASSES": "2"}, "PINs are hashed too cheaply."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_unsafe_setting_alone_stops_the_start(production, change, sentence):
    started = start(**production | change)

    assert started.returncode == checks.REFUSED
    assert sentence in started.stderr


def test_every_reason_is_said_at_once():
    started = start()

    assert started.returncode == checks.REFUSED
    for sentence in ("SECRET_KEY is missing.", "ALLOWED_HOSTS is empty.", "E013"):
        assert sentence in started.stderr


def test_development_keys_of_a_public_sandbox_stop_the_start():
    everybodys = {"SECRET_KEY": "only-for-development-and-tests-" + "x" * 32, "VAULT_KEYS_FILE": ""}
    started = start(SANDBOX="1", ALLOWED_HOSTS="demo.example.com", **everybodys)

    assert started.returncode == checks.REFUSED
    assert "SECRET_KEY is the one for development, which everybody knows." in started.stderr


def test_sandbox_of_this_machine_alone_starts_with_nothing_set():
    assert start(SANDBOX="1").returncode == 0


def test_gunicorn_gives_up_at_once(production, tmp_path):
    socket = tmp_path / "web.sock"
    started = run("-m", "gunicorn", "paymentsite.wsgi", "--bind", f"unix:{socket}", **production | {"SECRET_KEY": ""})

    assert started.returncode == checks.REFUSED
    assert "SECRET_KEY is missing." in started.stderr


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_worker_and_scheduler_refuse_as_the_web_does(production, role):
    started = run("-m", "celery", "-A", "paymentsite.celery", role, **production | {"ALLOWED_HOSTS": "*"})

    assert started.returncode == checks.REFUSED
    assert "ALLOWED_HOSTS lets any name in." in started.stderr


def test_asgi_refuses_as_the_web_does(production):
    started = run("-c", "import paymentsite.asgi", **production | {"ALLOWED_HOSTS": "*"})

    assert started.returncode == checks.REFUSED


def test_sqlite_that_could_forget_stops_the_start(production, tmp_path):
    weaker = {
        "synchronous=FULL": ("synchronous=NORMAL", "SQLite runs with synchronous=1."),
        "foreign_keys=ON": ("foreign_keys=OFF", "SQLite runs with foreign_keys=0."),
        "recursive_triggers=ON": ("recursive_triggers=OFF", "SQLite runs with recursive_triggers=0."),
        "journal_mode=WAL": ("journal_mode=DELETE", "SQLite runs with journal_mode=delete."),
        "IMMEDIATE": ("DEFERRED", "SQLite transactions do not begin IMMEDIATE"),
    }
    (tmp_path / "weakened.py").write_text(
        "from paymentsite.settings import *\n"
        "OPTIONS = DATABASES['default']['OPTIONS']\n"
        f"for good, bad in {[(good, bad) for good, (bad, _sentence) in weaker.items()]!r}:\n"
        "    for name, value in OPTIONS.items():\n"
        "        OPTIONS[name] = value.replace(good, bad) if isinstance(value, str) else value\n"
    )
    path = f"{tmp_path}{os.pathsep}{settings.ROOT}"
    started = start(**production, DJANGO_SETTINGS_MODULE="weakened", PYTHONPATH=path)

    assert started.returncode == checks.REFUSED
    lines = started.stderr.splitlines()
    assert all([line for line in lines if sentence in line] for _bad, sentence in weaker.values()), lines
    assert len(lines) == len(weaker)


def test_durable_postgresql_with_a_keeping_broker_starts(production, server, keeping_broker):
    started = start(**production | {"DATABASE_URL": server, "REDIS_URL": keeping_broker})

    assert (started.returncode, started.stderr) == (0, "")


def test_postgresql_that_could_forget_or_looks_back_stops_the_start(production, server, keeping_broker):
    weaker = {
        "fsync": ("off", "on", "PostgreSQL runs with fsync=off"),
        "full_page_writes": ("off", "on", "PostgreSQL runs with full_page_writes=off"),
        "synchronous_commit": ("off", "on", "PostgreSQL runs with synchronous_commit=off"),
        "default_transaction_isolation": (
            "repeatable read",
            "read committed",
            "PostgreSQL begins transactions as repeatable read",
        ),
    }
    try:
        for setting, (bad, _good, _sentence) in weaker.items():
            configure(server, setting, bad)
        started = start(**production | {"DATABASE_URL": server, "REDIS_URL": keeping_broker})
    finally:
        for setting, (_bad, good, _sentence) in weaker.items():
            configure(server, setting, good)

    assert started.returncode == checks.REFUSED
    lines = started.stderr.splitlines()
    for _bad, _good, sentence in weaker.values():
        assert [line for line in lines if sentence in line], sentence
    assert len(lines) == len(weaker)


def configure(server: str, setting: str, value: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with psycopg.connect(server) as connection:
            if connection.execute(f"SHOW {setting}").fetchone() == (value,):
                return
        time.sleep(0.05)
    raise AssertionError(f"{setting} did not become {value}")


def test_redis_without_its_append_only_file_stops_the_start(production):
    with valkey() as forgetting:
        started = start(**production | {"REDIS_URL": forgetting})

    assert started.returncode == checks.REFUSED
    assert "Redis keeps no append-only file and forgets at a restart. Set appendonly yes." in started.stderr


def test_broker_in_a_folder_is_not_enough_for_a_shared_database(production, server):
    started = start(**production | {"DATABASE_URL": server})

    assert started.returncode == checks.REFUSED
    assert "The broker is a folder of one machine" in started.stderr
    assert "Tries to sign in are counted by each machine alone" in started.stderr


def test_without_redis_tries_to_sign_in_are_counted_in_a_folder(production):
    asked = "from django.conf import settings; print(settings.CACHES['default']['BACKEND'])"
    said = run("-c", asked, **production, DJANGO_SETTINGS_MODULE="paymentsite.settings")

    assert said.stdout.strip() == "django.core.cache.backends.filebased.FileBasedCache"


@pytest.mark.django_db
def test_staff_without_a_second_factor_stop_the_start_by_name(settings):
    settings.PRODUCTION = settings.STAFF_SECOND_FACTOR_REQUIRED = True
    bare = User.objects.create_user("bare@example.com", is_staff=True)
    guarded = User.objects.create_user("guarded@example.com", is_staff=True)
    coded = User.objects.create_user("coded@example.com", is_staff=True)
    User.objects.create_user("gone@example.com", is_staff=True, is_active=False)
    User.objects.create_user("member@example.com")
    Authenticator.objects.create(user=guarded, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.create(user=coded, type=Authenticator.Type.RECOVERY_CODES, data={})

    found = [message.msg for message in checks.staff_second_factor(databases=["default"])]
    assert found == ["Staff without a second factor: bare@example.com, coded@example.com."]

    for user in (bare, coded):
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    assert list(checks.staff_second_factor(databases=["default"])) == []
