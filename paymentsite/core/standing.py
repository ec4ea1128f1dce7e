"""What keeps the rows of our tables as they should be, as it stands in the database."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from paymentsite.core.verification import Run

Pairs = set[tuple[str, str]]  # a table, and a column or constraint of it


def tables() -> list[type[models.Model]]:
    """Every table of the project's own apps."""
    return [
        model
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(settings.ROOT) and "site-packages" not in Path(config.path).parts
        for model in config.get_models()
        if model._meta.managed and not model._meta.proxy
    ]


def constraints(_: Run) -> dict[str, dict[str, Any]]:
    """What constrains each table that there is."""
    look = connection.introspection
    with connection.cursor() as cursor:
        existing = set(look.table_names(cursor))
        names = [model._meta.db_table for model in tables() if model._meta.db_table in existing]
        if connection.vendor == "sqlite":
            return {name: _read_from_text(name, text) for name, text in _texts(cursor, names).items()}
        return {name: look.get_constraints(cursor, name) for name in names}


def _texts(cursor: Any, names: list[str]) -> dict[str, tuple[str, ...]]:
    """The statements that made each table and its indexes, which is all that SQLite knows of them."""
    texts: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY name")
    for name, text in cursor.fetchall():
        if name in texts:
            texts[name] += (text,)
    return texts


@lru_cache(maxsize=1_000)
def _read_from_text(name: str, text: tuple[str, ...]) -> dict[str, Any]:
    """The same as introspection finds, which parses the statements: once for as long as they stay as they are."""
    del text
    with connection.cursor() as cursor:
        found: dict[str, Any] = connection.introspection.get_constraints(cursor, name)
        return found


def idle(_: Run) -> Pairs:
    """Constraints and indexes of PostgreSQL that are there, but did not look at every row or no longer work."""
    return _pairs(
        postgresql="SELECT conrelid::regclass::text, conname::text FROM pg_constraint"
        " WHERE NOT convalidated AND conrelid <> 0 UNION ALL"
        " SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text FROM pg_index i"
        " WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) UNION ALL"
        " SELECT k.conrelid::regclass::text, k.conname::text FROM pg_trigger t"
        " JOIN pg_constraint k ON k.oid = t.tgconstraint WHERE t.tgenabled NOT IN ('O', 'A')",
    )


def optional(_: Run) -> Pairs:
    """The columns, by table, that the database lets be empty."""
    return _pairs(
        postgresql="SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)"
        " AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull",
        sqlite="SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c"
        " WHERE t.type = 'table' AND NOT c.\"notnull\"",
    )


def partial(_: Run) -> Pairs:
    """The indexes, by table, that keep a part of the rows unique."""
    return _pairs(
        postgresql="SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
        " WHERE indisunique AND indpred IS NOT NULL",
        sqlite="SELECT t.name, i.name FROM sqlite_master t, pragma_index_list(t.name) i"
        " WHERE t.type = 'table' AND i.\"unique\" AND i.partial",
    )


def _pairs(*, postgresql: str, sqlite: str = "") -> Pairs:
    statement = postgresql if connection.vendor == "postgresql" else sqlite
    if not statement:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return set(cursor.fetchall())
