"""What the database says of each constraint, against what the code declares: one of the same name can say less.

On PostgreSQL the server is asked to make what is declared anew, in temporary tables that are never committed, and both
are compared in its own words. SQLite keeps the words in which a constraint was made.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

Name = tuple[str, str]  # table and constraint
Texts = dict[Name, str]
Models = tuple[type[models.Model], ...]

_TEXTS: Final = """
SELECT c.relname::text, k.conname::text, k.contype::text, pg_get_constraintdef(k.oid) FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'u') AND {where}
UNION ALL
SELECT c.relname::text, i.relname::text, 'i', substring(pg_get_indexdef(x.indexrelid) FROM ' USING .*') FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indisunique AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('u', 'p'))
    AND {where}
"""
_OURS: Final = "pg_table_is_visible(c.oid)"
_ANEW: Final = "c.relnamespace = pg_my_temp_schema()"
# How an index is stored, which says nothing about what it keeps unique.
_STORAGE: Final = re.compile(r" WITH \([^)]*\)")


def weakened(tables: Iterable[type[models.Model]]) -> list[Name]:
    """The constraints that stand under their name and say something else than is declared."""
    find = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    return sorted(find(tuple(tables)))


def _on_postgresql(tables: Models) -> set[Name]:
    declared = _declared(tables)
    with connection.cursor() as cursor:
        standing = _read(cursor, _OURS)
    apart = {name for name, text in declared.items() if standing.get(name, text) != text}
    # Restored from a dump, a constraint was made of the server's own words, which it may put in other ones again.
    return {name for name in apart if standing[name] != _restored(tables)[name]} if apart else set()


# What the server makes of the code is the same for as long as the process runs.
@lru_cache(maxsize=1)
def _declared(tables: Models) -> Texts:
    """What the server says of each constraint that is declared."""
    with _made_anew(tables) as (_, cursor):
        return _of(tables, _read(cursor, _ANEW))


@lru_cache(maxsize=1)
def _restored(tables: Models) -> Texts:
    """The same of constraints that are made of what it says."""
    with _made_anew(tables) as (other, cursor):
        for (table, name), text in _of(tables, _read(cursor, _ANEW)).items():
            cursor.execute(_again(other, table, name, text))
        return _of(tables, _read(cursor, _ANEW))


def _of(tables: Models, texts: Texts) -> Texts:
    """Those that the models name themselves; keys and references are looked for without their names."""
    return {name: texts[name] for name in _names(tables)}


def _names(tables: Models) -> set[Name]:
    return {(model._meta.db_table, each.name) for model in tables for each in model._meta.constraints}


def _read(cursor: Any, where: str) -> Texts:
    cursor.execute(_TEXTS.format(where=where))
    return {
        (table, name): text if kind == "c" else _STORAGE.sub("", text) for table, name, kind, text in cursor.fetchall()
    }


@contextmanager
def _made_anew(tables: Models) -> Iterator[tuple[BaseDatabaseWrapper, Any]]:
    """All tables, empty, on a connection of their own, since the one that verifies only reads; nothing is kept."""
    other: BaseDatabaseWrapper = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            for statement in _statements(other, tables):
                cursor.execute(statement)
            yield other, cursor
    finally:
        other.close()


def _statements(other: BaseDatabaseWrapper, tables: Models) -> Iterator[str]:
    """What makes each table with its constraints and unique indexes, but with nothing that refers to another."""
    operations: Any = other.ops
    for model in tables:
        editor = other.schema_editor()
        editor.deferred_sql = []
        table, values = editor.table_sql(model)
        text = operations.compose_sql(table, values) if values else table
        yield text.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
        for later in map(str, editor.deferred_sql):
            if later.startswith(("ALTER TABLE", "CREATE UNIQUE INDEX")) and " FOREIGN KEY " not in later:
                yield later


def _again(other: BaseDatabaseWrapper, table: str, name: str, text: str) -> str:
    quoted, called = other.ops.quote_name(table), other.ops.quote_name(name)
    if text.startswith(" USING"):
        return f"DROP INDEX pg_temp.{called}; CREATE UNIQUE INDEX {called} ON pg_temp.{quoted}{text}"
    changed = f"ALTER TABLE pg_temp.{quoted}"
    return f"{changed} DROP CONSTRAINT {called}; {changed} ADD CONSTRAINT {called} {text}"


def _on_sqlite(tables: Models) -> set[Name]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        made: dict[str, str] = dict(cursor.fetchall())
    found = set()
    for (table, name), text in _declared_on_sqlite(tables).items():
        within = made.get(table if text.startswith("CONSTRAINT") else name, "")
        if f'"{name}"' in within and within.count(text) != 1:
            found.add((table, name))
    return found


@lru_cache(maxsize=1)
def _declared_on_sqlite(tables: Models) -> Texts:
    """What is part of each table, or the index that is made after it."""
    texts = {}
    for model in tables:
        for constraint in model._meta.constraints:
            editor = connection.schema_editor()
            editor.deferred_sql = []
            inside = constraint.constraint_sql(model, editor)
            texts[model._meta.db_table, constraint.name] = str(inside or editor.deferred_sql[0])
    return texts
