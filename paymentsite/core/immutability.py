"""Tables whose rows are written once: the database itself refuses to change them.

Triggers are not part of Django's schema state, and on SQLite altering a field rebuilds the table and silently
drops them. So after every ``migrate`` they are compared with what they should be, and made again where wrong.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar, overload

from django.apps import AppConfig
from django.core import checks
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

M = TypeVar("M", bound=type[models.Model])

FUNCTION: Final = "core_refuse_change"
_BODY: Final = """
BEGIN
    RAISE EXCEPTION '% of % refused: its rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';
END
"""

# Bits of pg_trigger.tgtype.
_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32


@dataclass(frozen=True, slots=True)
class Immutable:
    """A table written once, but for ``open_columns``, which may be updated."""

    model: type[models.Model]
    open_columns: frozenset[str] = frozenset()

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def closed_columns(self) -> list[str]:
        """The columns that an UPDATE may not name; empty when it may name none at all."""
        if not self.open_columns:
            return []
        return [column for column in _columns(self.model) if column not in self.open_columns]


_registered: dict[str, Immutable] = {}


def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


@overload
def immutable(model: M, *, except_columns: Collection[str] = ()) -> M: ...
@overload
def immutable(*, except_columns: Collection[str]) -> Callable[[M], M]: ...
def immutable(model: M | None = None, *, except_columns: Collection[str] = ()) -> M | Callable[[M], M]:
    """Have the database refuse UPDATE, DELETE and TRUNCATE of the model's table, on every connection.

    ``except_columns`` (columns, so ``owner_id``) may be updated, by statements that name no other column.
    """

    def register_model(given: M) -> M:
        entry = Immutable(given, frozenset(except_columns))
        if unknown := entry.open_columns - set(_columns(given)):
            raise TypeError(f"{given._meta.label} has no column {', '.join(sorted(unknown))}")
        _registered[given._meta.label_lower] = entry
        return given

    return register_model if model is None else register_model(model)


def registered() -> list[Immutable]:
    """Every table declared immutable, in the order of their names."""
    return sorted(_registered.values(), key=lambda entry: entry.table)


def install(connection: BaseDatabaseWrapper, tables: Iterable[Immutable] | None = None) -> None:
    """Create what ``missing_triggers`` misses, on the tables that exist. Repeated, it changes nothing."""
    dialect = _dialect(connection)
    if broken := [trigger for trigger, _ in _broken(connection, tables)]:
        with connection.cursor() as cursor:
            for statement in dialect.repairs(broken):
                cursor.execute(statement)


def missing_triggers(connection: BaseDatabaseWrapper, tables: Iterable[Immutable] | None = None) -> list[str]:
    """What keeps the tables from being protected, one sentence each; empty when all triggers would fire.

    Only tables that exist are looked at. A trigger counts when it is there, enabled, unconditional, and
    (PostgreSQL) calls a function whose body still refuses.
    """
    switched_off = _dialect(connection).switched_off()
    return switched_off + [
        f"{trigger.table}: trigger {trigger.name} {what}" for trigger, what in _broken(connection, tables)
    ]


def strangers(connection: BaseDatabaseWrapper, names: Collection[str]) -> list[tuple[str, str]]:
    """What changes the tables of these ``names``, or what is done to them, and was not made by us: table, sentence."""
    dialect = _dialect(connection)
    ours = {(trigger.table, trigger.name) for entry in registered() for trigger in dialect.triggers(entry)}
    found = [(table, f"trigger {name} is none of ours") for table, name in sorted({*dialect.standing()} - ours)]
    found += [(table, f"rule {name} is none of ours") for table, name in dialect.rules()]
    return [(table, what) for table, what in found if table in names]


@dataclass(frozen=True, slots=True)
class _Trigger:
    table: str
    name: str
    event: str
    kind: int
    columns: tuple[str, ...] = ()
    when: str = ""


def _broken(connection: BaseDatabaseWrapper, tables: Iterable[Immutable] | None) -> list[tuple[_Trigger, str]]:
    wanted = registered() if tables is None else list(tables)
    if not wanted:
        return []
    dialect, existing = _dialect(connection), set(connection.introspection.table_names())
    triggers = [t for entry in wanted if entry.table in existing for t in dialect.triggers(entry)]
    standing = dialect.standing()
    return [
        (trigger, what)
        for trigger in triggers
        if (what := dialect.fault(trigger, standing.get((trigger.table, trigger.name))))
    ]


# What stands in the database, by table and trigger.
_Standing = dict[tuple[str, str], tuple[Any, ...]]


class _Dialect:
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.quote: Callable[[str], str] = connection.ops.quote_name

    def rows(self, sql: str, *params: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def rules(self) -> list[tuple[Any, ...]]:
        """What makes the database do something else than a statement says."""
        return []

    def event(self, trigger: _Trigger) -> str:
        columns = ", ".join(map(self.quote, trigger.columns))
        return f"{trigger.event} OF {columns}" if columns else trigger.event


class _SQLite(_Dialect):
    def triggers(self, entry: Immutable) -> Iterator[_Trigger]:
        yield _Trigger(entry.table, f"{entry.table}_no_update", "UPDATE", _UPDATE, tuple(entry.closed_columns))
        yield _Trigger(entry.table, f"{entry.table}_no_delete", "DELETE", _DELETE)
        if entry.open_columns:
            # A key that is a whole number has other names too (rowid, oid), which no list of columns covers.
            yield _Trigger(entry.table, f"{entry.table}_no_move", "UPDATE", _UPDATE, when="OLD.rowid IS NOT NEW.rowid")

    def definition(self, trigger: _Trigger) -> str:
        refusal = f"{trigger.event} of {trigger.table} refused: its rows are written once"
        when = f" WHEN {trigger.when}" if trigger.when else ""
        return (
            f"CREATE TRIGGER {self.quote(trigger.name)} BEFORE {self.event(trigger)}"
            f" ON {self.quote(trigger.table)}{when} BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )

    def standing(self) -> _Standing:
        rows = self.rows("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {(table, name): (sql,) for table, name, sql in rows}

    def fault(self, trigger: _Trigger, found: tuple[Any, ...] | None) -> str:
        if found is None:
            return "is missing"
        return "" if found == (self.definition(trigger),) else "does not say what it should"

    def repairs(self, broken: list[_Trigger]) -> Iterator[str]:
        for trigger in broken:
            yield f"DROP TRIGGER IF EXISTS {self.quote(trigger.name)}"
            yield self.definition(trigger)

    def switched_off(self) -> list[str]:
        # Without it INSERT OR REPLACE deletes rows and fires no DELETE trigger.
        return [] if self.rows("PRAGMA recursive_triggers") == [(1,)] else ["PRAGMA recursive_triggers is off"]


class _PostgreSQL(_Dialect):
    def triggers(self, entry: Immutable) -> Iterator[_Trigger]:
        # Per row: a statement trigger would also refuse an INSERT … ON CONFLICT DO UPDATE without conflict.
        kind = _ROW | _BEFORE
        columns = tuple(entry.closed_columns)
        yield _Trigger(entry.table, f"{entry.table}_no_update", "UPDATE", kind | _UPDATE, columns)
        yield _Trigger(entry.table, f"{entry.table}_no_delete", "DELETE", kind | _DELETE)
        yield _Trigger(entry.table, f"{entry.table}_no_truncate", "TRUNCATE", _BEFORE | _TRUNCATE)

    def standing(self) -> _Standing:
        rows = self.rows(
            "SELECT c.relname::text, t.tgname::text, t.tgenabled::text, t.tgtype, t.tgqual IS NULL, p.proname,"
            " l.lanname, p.prosrc, ARRAY(SELECT a.attname::text FROM pg_attribute a"
            " WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr))"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_language l ON l.oid = p.prolang"
            " WHERE NOT t.tgisinternal AND pg_table_is_visible(t.tgrelid)"
        )
        return {(table, name): tuple(found) for table, name, *found in rows}

    def rules(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT c.relname::text, r.rulename::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
            " WHERE pg_table_is_visible(c.oid) ORDER BY 1, 2"
        )

    def fault(self, trigger: _Trigger, found: tuple[Any, ...] | None) -> str:
        if found is None:
            return "is missing"
        enabled, kind, unconditional, function, language, body, columns = found
        if enabled not in {"O", "A"}:
            return "is disabled"
        if (kind, unconditional, function) != (trigger.kind, True, FUNCTION) or set(columns) != set(trigger.columns):
            return "does not say what it should"
        return "" if (language, body) == ("plpgsql", _BODY) else f"calls {FUNCTION}, whose body was changed"

    def repairs(self, broken: list[_Trigger]) -> Iterator[str]:
        yield f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
        for trigger in broken:
            table, name = self.quote(trigger.table), self.quote(trigger.name)
            level = "ROW" if trigger.kind & _ROW else "STATEMENT"
            yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
            yield (
                f"CREATE TRIGGER {name} BEFORE {self.event(trigger)} ON {table}"
                f" FOR EACH {level} EXECUTE FUNCTION {FUNCTION}()"
            )

    def switched_off(self) -> list[str]:
        role = self.rows("SHOW session_replication_role")[0][0]
        return [] if role == "origin" else [f"session_replication_role is {role}"]


def _dialect(connection: BaseDatabaseWrapper) -> _SQLite | _PostgreSQL:
    return _PostgreSQL(connection) if connection.vendor == "postgresql" else _SQLite(connection)


def install_after_migrate(*, app_config: AppConfig, using: str, **_: object) -> None:
    """Receiver of ``post_migrate``: the triggers of this app's tables stand, whatever its migrations did."""
    own = [
        entry
        for entry in registered()
        if entry.model._meta.app_label == app_config.label and router.allow_migrate_model(using, entry.model)
    ]
    install(connections[using], own)


@checks.register(checks.Tags.database)
def check_triggers(*, databases: Collection[str] | None = None, **_: object) -> list[checks.CheckMessage]:
    """Name missing triggers when a database is checked, as warnings: ``migrate`` must run to repair them."""
    return [
        checks.Warning(f"{alias}: {fault}.", hint="Run `manage.py migrate`, then `manage.py verify`.", id="core.W030")
        for alias in databases or ()
        for fault in missing_triggers(connections[alias])
    ]
