"""Tables written once stay as written, on both databases."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import isolate_apps

from paymentsite.core import immutability
from paymentsite.core.immutability import Immutable, immutable, install, missing_triggers

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Iterator[Immutable]:
    """A table of stones, with a name that may change and a weight that may not."""
    with isolate_apps("paymentsite.core"):

        class Stone(models.Model):
            weight = models.IntegerField(unique=True)
            name = models.CharField(max_length=20, default="")

            class Meta:
                app_label = "core"
                db_table = "core_test_stone"

            def __str__(self) -> str:
                return self.name

        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE core_test_stone (id int PRIMARY KEY, weight int UNIQUE, name text)")
        entry = Immutable(Stone, frozenset({"name"}))
        install(connection, [entry])
        yield entry
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE core_test_stone")


def run(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def stones() -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, weight, name FROM core_test_stone ORDER BY id")
        return cursor.fetchall()


REFUSED = [
    "UPDATE core_test_stone SET weight = 6 WHERE id = 1",
    "UPDATE core_test_stone SET weight = 5, name = 'b' WHERE id = 1",
    "UPDATE core_test_stone SET id = 2",
    "DELETE FROM core_test_stone",
    "INSERT INTO core_test_stone VALUES (1, 6, 'b') ON CONFLICT (id) DO UPDATE SET weight = 6",
]
ONLY = {
    "sqlite": [
        "INSERT OR REPLACE INTO core_test_stone VALUES (1, 6, 'b')",
        "REPLACE INTO core_test_stone VALUES (2, 5, 'b')",
        "UPDATE OR REPLACE core_test_stone SET weight = 7",
        "UPDATE core_test_stone SET rowid = rowid + 1",
        "UPDATE core_test_stone SET oid = oid + 1",
        "UPDATE core_test_stone SET _rowid_ = _rowid_ + 1",
    ],
    "postgresql": ["TRUNCATE core_test_stone", "TRUNCATE core_test_stone CASCADE"],
}


@pytest.mark.parametrize("statement", [*REFUSED, *ONLY[connection.vendor]])
def test_immutable_row_refuses_to_change(table: Immutable, statement: str) -> None:
    run("INSERT INTO core_test_stone VALUES (1, 5, 'a')")

    with pytest.raises(IntegrityError, match="refused: its rows are written once"):
        run(statement)

    assert stones() == [(1, 5, "a")]


def test_open_column_may_change(table: Immutable) -> None:
    run("INSERT INTO core_test_stone VALUES (1, 5, 'a')", "UPDATE core_test_stone SET name = 'b'")

    assert stones() == [(1, 5, "b")]


def test_table_without_open_columns_refuses_every_update(table: Immutable) -> None:
    install(connection, [Immutable(table.model)])
    run("INSERT INTO core_test_stone VALUES (1, 5, 'a')")

    with pytest.raises(IntegrityError):
        run("UPDATE core_test_stone SET name = 'b'")


def test_unprotected_lets_tests_plant_a_change_and_protects_again(table: Immutable, unprotected) -> None:
    run("INSERT INTO core_test_stone VALUES (1, 5, 'a')")

    with unprotected():
        run("UPDATE core_test_stone SET weight = 6")
    install(connection, [table])

    assert stones() == [(1, 6, "a")]
    assert missing_triggers(connection, [table]) == []


def test_install_twice_changes_nothing(table: Immutable, django_assert_max_num_queries) -> None:
    assert missing_triggers(connection, [table]) == []

    with django_assert_max_num_queries(5) as captured:
        install(connection, [table])

    assert not [q for q in captured.captured_queries if "CREATE" in q["sql"] or "DROP" in q["sql"]]


def test_install_leaves_a_table_that_does_not_exist_alone(table: Immutable) -> None:
    class Meta:
        app_label = "core"
        db_table = "core_test_not_there"

    with isolate_apps("paymentsite.core"):
        ghost = type("Ghost", (models.Model,), {"__module__": __name__, "Meta": Meta})

    install(connection, [Immutable(ghost)])

    assert missing_triggers(connection, [Immutable(ghost)]) == []


NAME = "core_test_stone_no_update"
DROPPED = {"sqlite": f"DROP TRIGGER {NAME}", "postgresql": f"DROP TRIGGER {NAME} ON core_test_stone"}
NARROWED = {
    "sqlite": f"CREATE TRIGGER {NAME} BEFORE UPDATE ON core_test_stone WHEN 1 = 0 BEGIN SELECT 1; END",
    "postgresql": (
        f"CREATE TRIGGER {NAME} BEFORE UPDATE OF id, weight ON core_test_stone FOR EACH ROW"
        " WHEN (false) EXECUTE FUNCTION core_refuse_change()"
    ),
}


def test_missing_trigger_is_named_and_made_again(table: Immutable) -> None:
    run(DROPPED[connection.vendor])

    assert missing_triggers(connection, [table]) == [f"core_test_stone: trigger {NAME} is missing"]

    install(connection, [table])
    assert missing_triggers(connection, [table]) == []


def test_trigger_that_never_fires_is_named_and_made_again(table: Immutable) -> None:
    run(DROPPED[connection.vendor], NARROWED[connection.vendor])

    assert missing_triggers(connection, [table]) == [f"core_test_stone: trigger {NAME} does not say what it should"]

    install(connection, [table])
    assert missing_triggers(connection, [table]) == []


if connection.vendor == "postgresql":

    @pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
    def test_disabled_trigger_is_named_and_made_again(table: Immutable, how: str) -> None:
        run(f"ALTER TABLE core_test_stone {how} TRIGGER {NAME}")

        assert missing_triggers(connection, [table]) == [f"core_test_stone: trigger {NAME} is disabled"]

        install(connection, [table])
        assert missing_triggers(connection, [table]) == []

    def test_neutered_function_is_named_and_made_again(table: Immutable) -> None:
        run(
            "CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        )

        assert missing_triggers(connection, [table]) == [
            f"core_test_stone: trigger {name} calls core_refuse_change, whose body was changed"
            for name in (NAME, "core_test_stone_no_delete", "core_test_stone_no_truncate")
        ]

        install(connection, [table])
        assert missing_triggers(connection, [table]) == []

    def test_replica_role_is_named(table: Immutable, unprotected) -> None:
        with unprotected():
            assert missing_triggers(connection, [table]) == ["session_replication_role is replica"]

else:

    def test_replace_that_walks_past_triggers_is_named(table: Immutable) -> None:
        run("PRAGMA recursive_triggers = OFF")
        try:
            assert missing_triggers(connection, [table]) == ["PRAGMA recursive_triggers is off"]
        finally:
            run("PRAGMA recursive_triggers = ON")


def test_immutable_refuses_columns_that_are_not_there(table: Immutable) -> None:
    with pytest.raises(TypeError, match="has no column colour"):
        immutable(table.model, except_columns={"colour"})


@pytest.mark.parametrize("declare", [immutable, immutable(except_columns={"name"})])
def test_declared_model_is_registered_and_given_back(table: Immutable, declare, monkeypatch) -> None:
    monkeypatch.setattr(immutability, "_registered", {})

    assert declare(table.model) is table.model

    assert [entry.table for entry in immutability.registered()] == ["core_test_stone"]


def test_check_warns_of_what_is_missing(table: Immutable, monkeypatch) -> None:
    monkeypatch.setattr(immutability, "_registered", {"core.stone": table})
    assert immutability.check_triggers(databases=["default"]) == []
    assert immutability.check_triggers(databases=None) == []

    run(DROPPED[connection.vendor])

    (warning,) = immutability.check_triggers(databases=["default"])
    assert (warning.id, warning.msg) == ("core.W030", f"default: core_test_stone: trigger {NAME} is missing.")


def test_migrate_makes_lost_triggers_again(table: Immutable, monkeypatch) -> None:
    monkeypatch.setattr(immutability, "_registered", {"core.stone": table})
    run(DROPPED[connection.vendor])

    call_command("migrate", verbosity=0)

    assert missing_triggers(connection) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_flush_after_a_committing_test_passes_and_leaves_the_triggers(turn: str) -> None:
    assert missing_triggers(connection) == []
