"""What stops the start: settings with which money could be lost, or the site taken over.

Registered as system checks, so that ``manage.py check`` knows them; asked again by ``refuse_unsafe`` where a
server starts, since neither WSGI nor Celery runs system checks by itself. Whatever opens a connection is
tagged ``database``.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError
from redis import Redis
from redis.exceptions import RedisError

from paymentsite.core import realms, vault
from paymentsite.core.units import OWN_UNITS, SCALES

BOOT: Final = "boot"
SECRET_LENGTH: Final = 50
SECRET_VARIETY: Final = 8
# The least of what OWASP lists for Argon2id: 7 MiB five times, 9 MiB four times, … 46 MiB once.
PIN_MEMORY_KIB: Final = 7 * 1024
PIN_WORK: Final = 5 * PIN_MEMORY_KIB
LOCAL_HOSTS: Final = {"localhost", "127.0.0.1", "[::1]", "::1", "testserver"}
# The exit code by which gunicorn knows that starting the worker again would not help.
REFUSED: Final = 3


def register() -> None:
    """Make Django's check framework know these checks."""
    for check in (modes, secrets, hosts, collected_files, mail, pins, values):
        checks.register(check, checks.Tags.security, BOOT)
    for check in (durable_database, own_database, persistent_broker, staff_second_factor):
        checks.register(check, checks.Tags.database, BOOT)


def refuse_unsafe() -> None:
    """Return when it is safe to serve; else say why not, a sentence each, and leave the process."""
    found = [m for m in checks.run_checks(tags=[BOOT], databases=list(connections)) if m.level >= checks.ERROR]
    connections.close_all()
    if not found:
        return
    for message in found:
        hint = f" {message.hint}" if message.hint else ""
        sys.stderr.write(f"Refusing to start: {message.msg}{hint} ({message.id})\n")
    sys.exit(REFUSED)


def modes(**_: Any) -> Iterator[checks.CheckMessage]:
    """No mode meant for trying things out, where real money could be."""
    if settings.DEBUG and _exposed():
        yield _error("E001", "DEBUG is on where others can reach the site.", "Unset DEBUG.")
    if settings.SANDBOX and settings.PRODUCTION:
        yield _error("E002", "SANDBOX is on beside PRODUCTION.", "Unset one of them.")


def secrets(**_: Any) -> Iterator[checks.CheckMessage]:
    """Keys that nobody else knows."""
    if not _exposed():
        return
    hint = "Set SECRET_KEY, or SECRET_KEY_FILE, to 50 random characters or more."
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    if not key:
        yield _error("E010", "SECRET_KEY is missing.", hint)
    elif key.startswith(("only-for-development", "django-insecure-")):
        yield _error("E011", "SECRET_KEY is the one for development, which everybody knows.", hint)
    elif len(key) < SECRET_LENGTH or len(set(key)) < SECRET_VARIETY:
        yield _error("E012", "SECRET_KEY is too short or too plain to be random.", hint)
    for problem in vault.problems():
        yield _error("E013", problem, "See docs/security/keys.md.")


def hosts(**_: Any) -> Iterator[checks.CheckMessage]:
    """Names that the site answers to, and no others."""
    if settings.PRODUCTION and not settings.ALLOWED_HOSTS:
        yield _error("E020", "ALLOWED_HOSTS is empty.", "Set it to the site's names, with commas between.")
    if settings.PRODUCTION and "*" in settings.ALLOWED_HOSTS:
        yield _error("E021", "ALLOWED_HOSTS lets any name in.", "Set it to the site's own names.")
    for host in settings.ALLOWED_HOSTS if settings.PRODUCTION else ():
        if host.startswith(".") and "." not in host[1:]:
            yield _error(
                "E023", f"ALLOWED_HOSTS lets in any name that ends in {host}.", "Set it to the site's own names."
            )


def mail(**_: Any) -> Iterator[checks.CheckMessage]:
    """Mail is sent: what it says, codes to sign in with among it, is for nobody who reads logs or folders."""
    backend = settings.EMAIL_BACKEND.split(".")[-2]
    if settings.PRODUCTION and backend in {"console", "filebased", "locmem", "dummy"}:
        yield _error("E024", f"EMAIL_URL sends mail nowhere: it is {backend}.", "Set it to the server that sends mail.")


def pins(**_: Any) -> Iterator[checks.CheckMessage]:
    """A PIN is one of a million: what keeps a stolen table of them from being tried through is the cost of each try."""
    memory, passes = settings.VAULT_PIN_MEMORY_KIB, settings.VAULT_PIN_PASSES
    if settings.PRODUCTION and (memory < PIN_MEMORY_KIB or memory * passes < PIN_WORK):
        yield _error("E014", "PINs are hashed too cheaply.", "Unset VAULT_PIN_MEMORY_KIB and VAULT_PIN_PASSES.")


def values(**_: Any) -> Iterator[checks.CheckMessage]:
    """What would else be found wrong when somebody pays."""
    try:
        ZoneInfo(settings.BUSINESS_TIME_ZONE)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        yield _error(
            "E025",
            f"BUSINESS_TIME_ZONE is {settings.BUSINESS_TIME_ZONE!r}, which is none.",
            "Set it like Asia/Shanghai.",
        )
    for name in ("TRANSFER_PIN_ABOVE", "WITHDRAWAL_PIN_ABOVE", "STANDING_ORDER_MAX"):
        found = getattr(settings, name)
        if not (isinstance(found, dict) and all(_is_amount(*each) for each in found.items())):
            yield _error(
                "E026", f"{name} is not an amount for each currency.", 'Set it like {"CNY": 20000}, in smallest parts.'
            )


def _is_amount(unit: object, minor: object) -> bool:
    return unit in SCALES and unit not in OWN_UNITS and type(minor) is int and minor >= 0


def collected_files(**_: Any) -> Iterator[checks.CheckMessage]:
    """Style sheets and scripts are where pages look for them; without, every page would fail."""
    if settings.PRODUCTION and not (Path(settings.STATIC_ROOT or "") / "staticfiles.json").exists():
        yield _error("E022", "Static files are not collected.", "Run manage.py collectstatic.")


def durable_database(databases: Sequence[str] | None = None, **_: Any) -> Iterator[checks.CheckMessage]:
    """A database that keeps what it has acknowledged, through a power cut too."""
    if not settings.PRODUCTION:
        return
    for alias in databases or []:
        connection = connections[alias]
        ask = _sqlite if connection.vendor == "sqlite" else _postgresql
        try:
            yield from ask(connection)
        except DatabaseError as error:
            yield _error("E030", f"The database does not answer: {_first_line(error)}", "Check DATABASE_URL.")


def own_database(databases: Sequence[str] | None = None, **_: Any) -> Iterator[checks.CheckMessage]:
    """A database that never held money that does not exist."""
    if not settings.PRODUCTION:
        return
    for alias in databases or []:
        try:
            kind = realms.kind_of(connections[alias])
        except DatabaseError:
            continue  # an unreachable one has its own message
        if kind == realms.SANDBOX:
            yield _error(
                "E031",
                "This database was filled in a sandbox: it holds money that does not exist.",
                "Set DATABASE_URL to one that is production's from the beginning.",
            )


def persistent_broker(databases: Sequence[str] | None = None, **_: Any) -> Iterator[checks.CheckMessage]:
    """A broker that still has its messages after a restart, and that every machine shares."""
    if not (settings.PRODUCTION and databases):
        return
    shared = any(connections[alias].vendor != "sqlite" for alias in databases)
    if shared and not settings.REDIS_URL:
        hint = "Set REDIS_URL, to what BROKER_URL says if that is one."
        yield _error("E043", "Tries to sign in are counted by each machine alone: there is no REDIS_URL.", hint)
    url = settings.CELERY_BROKER_URL
    if url.startswith(("redis:", "rediss:", "unix:")):
        yield from _redis(url)
    elif url.startswith("filesystem:"):
        if shared:
            yield _error(
                "E041",
                "The broker is a folder of one machine, but the database is one that several share.",
                "Set REDIS_URL.",
            )
    else:
        yield _error("E042", f"The broker {url.split(':')[0]}:// keeps nothing.", "Set REDIS_URL.")


def staff_second_factor(databases: Sequence[str] | None = None, **_: Any) -> Iterator[checks.CheckMessage]:
    """Nobody enters the admin with a password alone."""
    if not (settings.PRODUCTION and databases):
        return
    if not settings.STAFF_SECOND_FACTOR_REQUIRED:
        yield _error("E050", "STAFF_SECOND_FACTOR_REQUIRED is off.", "Unset it.")
    factors = apps.get_model("mfa", "Authenticator").objects.filter(type__in=["totp", "webauthn"])
    staff = get_user_model().objects.filter(is_staff=True, is_active=True).exclude(pk__in=factors.values("user"))
    try:
        without = sorted(staff.values_list("email", flat=True))
    except DatabaseError:
        return  # Nothing migrated yet, so nobody to ask about; an unreachable database has its own message.
    if without:
        yield _error(
            "E051",
            f"Staff without a second factor: {', '.join(without)}.",
            "Take the right from them until they have one: manage.py staff --withdraw EMAIL.",
        )


def _exposed() -> bool:
    """Whether others may reach the site: by our word, or by the names that it answers to."""
    return bool(settings.PRODUCTION or any(not _local(host) for host in settings.ALLOWED_HOSTS))


def _local(host: str) -> bool:
    return host in LOCAL_HOSTS or host.endswith(".localhost")


def _sqlite(connection: BaseDatabaseWrapper) -> Iterator[checks.CheckMessage]:
    hint = "Take OPTIONS of the database as paymentsite/settings.py has them."
    wanted: dict[str, set[object]] = {
        "journal_mode": {"wal"},
        "synchronous": {2, 3},  # FULL, EXTRA
        "foreign_keys": {1},
        "recursive_triggers": {1},
    }
    with connection.cursor() as cursor:
        for pragma, good in wanted.items():
            value = cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
            if value not in good:
                yield _error("E031", f"SQLite runs with {pragma}={value}.", hint)
    if getattr(connection, "transaction_mode", None) not in {"IMMEDIATE", "EXCLUSIVE"}:
        yield _error("E032", "SQLite transactions do not begin IMMEDIATE: of two writers one would fail.", hint)


def _postgresql(connection: BaseDatabaseWrapper) -> Iterator[checks.CheckMessage]:
    with connection.cursor() as cursor:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute(f"SHOW {setting}")
            if cursor.fetchone()[0] == "off":
                yield _error(
                    "E033",
                    f"PostgreSQL runs with {setting}=off: a power cut would lose acknowledged payments.",
                    "Turn it on at the server.",
                )
        cursor.execute("SHOW default_transaction_isolation")
        if (level := cursor.fetchone()[0]) != "read committed":
            yield _error(
                "E034",
                f"PostgreSQL begins transactions as {level}: an act would decide on what has changed since it began.",
                "Set default_transaction_isolation to read committed at the server.",
            )


def _redis(url: str) -> Iterator[checks.CheckMessage]:
    client = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        kept = client.info("persistence").get("aof_enabled")
    except RedisError as error:
        yield _error("E043", f"The broker does not answer: {_first_line(error)}", "Check REDIS_URL.")
        return
    finally:
        client.close()
    if str(kept) != "1":
        yield _error("E040", "Redis keeps no append-only file and forgets at a restart.", "Set appendonly yes.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _error(number: str, sentence: str, hint: str) -> checks.Error:
    return checks.Error(sentence, hint=hint, id=f"paymentsite.{number}")
