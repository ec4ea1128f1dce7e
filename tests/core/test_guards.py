"""What guards the tables is what the code says, and nothing else stands beside it."""

from typing import Final

import pytest
from django.db import connection

from paymentsite.core import verification

pytestmark = pytest.mark.django_db

CHECKS: Final = ["core.triggers_stand", "core.constraints_stand", "core.constraints_say"]


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def found() -> set[tuple[str, str, str]]:
    return {(each.check, each.subject, each.detail) for each in verification.discover().run(only=CHECKS).findings}


def test_guards_of_a_new_database_are_what_the_code_says() -> None:
    assert found() == set()


if connection.vendor == "postgresql":

    def made_anew(table: str, name: str, text: str) -> tuple[str, str]:
        changed = f"ALTER TABLE {table}"
        return f"{changed} DROP CONSTRAINT {name}", f"{changed} ADD CONSTRAINT {name} {text}"

    @pytest.mark.attack
    @pytest.mark.parametrize(
        ("table", "name", "text"),
        [
            ("ledger_balance", "ledger_balance_floor", "CHECK (true)"),
            ("ledger_balance", "ledger_balance_held", "CHECK (held_minor >= -1)"),
            ("ledger_journal", "ledger_journal_once", "UNIQUE (scope, reference, id)"),
        ],
    )
    def test_weaker_constraint_of_the_same_name_is_named(table: str, name: str, text: str) -> None:
        run(*made_anew(table, name, text))

        assert found() == {("core.constraints_say", table, f"{name} says something else than the code")}

    @pytest.mark.attack
    def test_unique_index_over_other_rows_is_named() -> None:
        name, table = "core_open_item_once", "core_openitem"
        run(f"DROP INDEX {name}", f"CREATE UNIQUE INDEX {name} ON {table} (kind, subject) WHERE state = 'done'")

        assert found() == {("core.constraints_say", table, f"{name} says something else than the code")}

    def test_constraints_that_were_restored_from_a_dump_say_the_same() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE contype = 'c' AND conrelid IN ('ledger_account'::regclass, 'core_approval'::regclass)"
            )
            constraints = cursor.fetchall()
        assert len(constraints) > 5

        for table, name, text in constraints:
            run(*made_anew(table, name, text))

        assert found() == set()

    @pytest.mark.attack
    @pytest.mark.parametrize(
        ("statement", "finding"),
        [
            (
                "CREATE RULE quiet AS ON INSERT TO core_auditentry DO INSTEAD NOTHING",
                ("core.triggers_stand", "core_auditentry", "rule quiet is none of ours"),
            ),
            (
                "ALTER TABLE ledger_posting ALTER COLUMN unit DROP NOT NULL",
                ("core.constraints_stand", "ledger_posting", "unit may be empty"),
            ),
        ],
    )
    def test_what_was_put_beside_or_taken_away_is_named(statement: str, finding: tuple[str, str, str]) -> None:
        run(statement)

        assert found() == {finding}

    @pytest.mark.attack
    def test_trigger_that_nobody_of_us_made_is_named() -> None:
        run(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
            "CREATE TRIGGER swallow BEFORE INSERT ON core_auditwaiting FOR EACH ROW EXECUTE FUNCTION swallow()",
        )

        assert found() == {("core.triggers_stand", "core_auditwaiting", "trigger swallow is none of ours")}

    @pytest.mark.attack
    def test_references_that_are_not_looked_at_are_named() -> None:
        run("ALTER TABLE core_auditwaiting DISABLE TRIGGER ALL")

        assert {(check, subject) for check, subject, _ in found()} == {("core.constraints_stand", "core_auditwaiting")}

    @pytest.mark.attack
    def test_reference_to_another_table_and_uniqueness_of_a_part_are_named() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname FROM pg_constraint"
                " WHERE conrelid = 'core_auditlink'::regclass AND contype IN ('f', 'u')"
            )
            names = [name for (name,) in cursor.fetchall()]
        run(
            *[f"ALTER TABLE core_auditlink DROP CONSTRAINT {name}" for name in names],
            "ALTER TABLE core_auditlink ADD FOREIGN KEY (entry_id) REFERENCES core_openitem",
            "CREATE UNIQUE INDEX a_part ON core_auditlink (entry_id) WHERE entry_id < 0",
        )

        assert found() == {
            ("core.constraints_stand", "core_auditlink", "nothing keeps entry_id unique"),
            ("core.constraints_stand", "core_auditlink", "nothing keeps what entry_id refers to"),
        }


if connection.vendor == "sqlite":

    def reworded(table: str, old: str, new: str) -> None:
        """Change the words that made ``table``; what SQLite does follows when it reads them anew."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
            [text] = cursor.fetchone()
            assert text.count(old) == 1
            cursor.execute("PRAGMA writable_schema = ON")
            cursor.execute("UPDATE sqlite_master SET sql = %s WHERE name = %s", [text.replace(old, new), table])
            cursor.execute("PRAGMA writable_schema = OFF")

    @pytest.mark.attack
    @pytest.mark.parametrize(
        ("table", "old", "new", "name"),
        [
            ("ledger_balance", '("held_minor" >= 0)', '("held_minor" >= -1)', "ledger_balance_held"),
            ("ledger_journal", 'UNIQUE ("scope", "reference")', 'UNIQUE ("scope", "id")', "ledger_journal_once"),
        ],
    )
    def test_weaker_constraint_of_the_same_name_is_named(table: str, old: str, new: str, name: str) -> None:
        reworded(table, old, new)

        assert found() == {("core.constraints_say", table, f"{name} says something else than the code")}

    @pytest.mark.attack
    def test_unique_index_over_other_rows_is_named() -> None:
        name, table = "core_open_item_once", "core_openitem"
        run(f"DROP INDEX {name}", f"CREATE UNIQUE INDEX \"{name}\" ON {table} (kind, subject) WHERE state = 'done'")

        assert found() == {("core.constraints_say", table, f"{name} says something else than the code")}

    @pytest.mark.attack
    def test_trigger_that_nobody_of_us_made_is_named() -> None:
        run("CREATE TRIGGER swallow BEFORE INSERT ON core_auditwaiting BEGIN SELECT RAISE(IGNORE); END")

        assert found() == {("core.triggers_stand", "core_auditwaiting", "trigger swallow is none of ours")}

    @pytest.mark.attack
    def test_column_that_may_be_empty_is_named() -> None:
        run(
            "ALTER TABLE core_auditwaiting RENAME TO gone",
            "CREATE TABLE core_auditwaiting (entry_id bigint PRIMARY KEY)",
        )

        assert ("core.constraints_stand", "core_auditwaiting", "entry_id may be empty") in found()
