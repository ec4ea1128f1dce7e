"""Real money and play money never share a database: what it is for stands in it.

An environment variable set before a command is quickly typed. In a sandbox time can be moved and money made up, so that
one on the books of production would be the end of them.
"""

from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

PRODUCTION: Final = "production"
SANDBOX: Final = "sandbox"
_THE_ROW: Final = 1


class OfProduction(CommandError):
    """Raised where a sandbox connects to a database of production."""


def mark_after_migrate(*, app_config: AppConfig, using: str, **_: Any) -> None:
    """The database is for what it was migrated for first; a receiver of ``post_migrate``. A plain DEBUG marks none."""
    if app_config.label != "core" or kind_of(connections[using]) or not (settings.SANDBOX or settings.PRODUCTION):
        return
    kind = SANDBOX if settings.SANDBOX else PRODUCTION
    rows = apps.get_model("core", "Realm").objects.using(using)
    rows.get_or_create(id=_THE_ROW, defaults={"kind": kind})


def keep_out(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """No sandbox stays connected to what is production's; a receiver of ``connection_created``."""
    if settings.SANDBOX and kind_of(connection) == PRODUCTION:
        connection.close()
        raise OfProduction(
            "This database is production's, and SANDBOX is set: unset it. Of a copy that is for trying things out,"
            " deploy/README.md says how to make it one."
        )


def kind_of(connection: BaseDatabaseWrapper) -> str:
    """What the database is for; nothing before it was migrated."""
    there = "SELECT to_regclass('core_realm')"
    if connection.vendor == "sqlite":
        there = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'core_realm'"
    with connection.cursor() as cursor:
        cursor.execute(there)
        if not (cursor.fetchone() or [None])[0]:
            return ""
        cursor.execute("SELECT kind FROM core_realm")
        row = cursor.fetchone()
    return str(row[0]) if row else ""
