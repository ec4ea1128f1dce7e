"""The short way to PostgreSQL: planned once, forgotten by a rollback, told apart when it fails."""

import time
from contextlib import nullcontext
from threading import Event, Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from paymentsite.core.actors import SYSTEM
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Hold, Journal
from paymentsite.ledger.services import Move, Release, journals
from paymentsite.ledger.store import wire
from tests.factories import cny, hold, hot, purse

pytestmark = pytest.mark.django_db(transaction=True)

DOUBLE = b"SELECT 2 * $1::int, $2::bytea"
TRIPLE = b"SELECT 3 * $1::int, $2::bytea"
FOURFOLD = b"SELECT 4 * $1::int, $2::bytea"


def kept() -> int:
    """How many statements of ours the server holds for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'ledger%%'")
        return int(cursor.fetchone()[0])


def fresh() -> Any:
    """A connection on which nothing was prepared yet."""
    connection.close()
    connection.ensure_connection()
    return connection.connection


if connection.vendor == "postgresql":

    def test_statement_is_prepared_once_a_connection():
        fresh()

        for number in range(3):
            assert wire.run(DOUBLE, [str(number), b"\0"]) == [[b"%d" % (2 * number), b"\\x00"]]

        assert kept() == 1

    def test_no_more_are_kept_than_the_server_should_hold(monkeypatch):
        monkeypatch.setattr(wire, "_NAMES_MAX", 1)
        fresh()

        assert wire.run(DOUBLE, ["2", None]) == [[b"4", None]]
        assert wire.run(TRIPLE, ["2", None]) == [[b"6", None]]

        assert kept() == 1

    def test_within_a_transaction_the_driver_sends_the_same():
        fresh()

        with transaction.atomic():
            assert wire.run(DOUBLE, ["2", b"\xff"]) == [[b"4", b"\\xff"]]

        assert kept() == 0
        assert wire.run(DOUBLE, ["2", b"\xff"]) == [[b"4", b"\\xff"]]

    def test_first_statement_of_a_transaction_is_part_of_it(book, settings):
        settings.SANDBOX = False  # there the clock's own query would come first
        source, target = purse(10), purse()
        ledger.post(Move(cny(1), source, target), reference="prepared by now")
        before = book()

        with transaction.atomic():
            ledger.post(Move(cny(1), source, target), reference="goes back")
            transaction.set_rollback(True)

        assert book() == before

    def test_statements_that_a_rollback_dropped_are_prepared_again():
        source, target = purse(10), purse()
        fresh().prepare_threshold = 0  # so that the driver has something to drop
        ledger.post(Move(cny(1), source, target), reference="before")
        assert kept() == 1
        with transaction.atomic():
            list(Balance.objects.all())
            transaction.set_rollback(True)
        assert kept() == 0

        assert ledger.post(Move(cny(1), source, target), reference="after").balances == {source.pk: 8, target.pk: 2}

    def test_statement_that_outlived_the_others_keeps_its_name():
        fresh()
        wire.run(DOUBLE, ["1", None])
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        wire.run(TRIPLE, ["1", None])

        for factor, statement in ((2, DOUBLE), (3, TRIPLE), (4, FOURFOLD), (2, DOUBLE)):
            assert wire.run(statement, ["1", None]) == [[b"%d" % factor, None]]

        assert kept() == 3

    def test_name_that_another_process_left_with_the_session_means_the_same():
        connection_now = fresh()
        wire.run(DOUBLE, ["1", None])
        del wire._names[connection_now]

        assert wire.run(DOUBLE, ["2", None]) == [[b"4", None]]

        assert kept() == 1

    def test_statement_whose_table_has_changed_is_planned_again():
        fresh()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE wired (number int); INSERT INTO wired VALUES (7)")
        look = b"SELECT number FROM wired WHERE $1::int IS NOT NULL"
        wire.run(look, ["7"])
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE wired ALTER number TYPE text")

        for _ in range(3):
            assert wire.run(look, ["7"]) == [[b"7"]]

        assert kept() == 1

    def test_nothing_is_prepared_where_the_driver_is_told_not_to():
        fresh().prepare_threshold = None

        assert wire.run(DOUBLE, ["2", None]) == [[b"4", None]]

        assert kept() == 0

    def test_post_amid_a_pipeline_is_sent_by_the_driver():
        source, target = purse(10), purse()

        with connection.connection.pipeline():
            answer = ledger.post(Move(cny(1), source, target), reference="piped")

        assert answer.balances == {source.pk: 9, target.pk: 1}

    def paid_in(account: Account) -> None:
        ledger.post(Move(cny(40), hot(), account), reference="in")

    def released(account: Account) -> None:
        ledger.post(Release(Hold.objects.select_related("account").get(account=account)), reference="released")

    def lent(account: Account) -> None:
        ledger.set_floor(account=account, floor_minor=-40, by=SYSTEM, reason="lent")

    @pytest.mark.parametrize("outer", [nullcontext, transaction.atomic])
    @pytest.mark.parametrize(("holding", "held", "meanwhile"), [(10, 0, paid_in), (50, 40, released), (10, 0, lent)])
    def test_what_comes_free_while_an_act_waits_pays_for_it(holding, held, meanwhile, outer):
        source, target = purse(holding), purse()
        if held:
            hold(source, held)
        inside = Event()

        def free() -> None:
            with transaction.atomic():
                meanwhile(source)
                inside.set()
                time.sleep(0.2)
            connection.close()

        freeing = Thread(target=free)
        freeing.start()
        assert inside.wait(60)
        with outer():
            answer = ledger.post(Move(cny(40), source, target), reference="out")
        freeing.join()

        assert answer.balances[target.pk] == 40

    def test_reversal_in_a_view_of_the_past_is_refused(book):
        one, other = hot(), hot()
        moved = ledger.post(Move(cny(5), one, other), reference="moved")
        before = book()

        @transaction.atomic
        def reverse_in_the_past() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            ledger.reverse(journal=Journal.objects.get(pk=moved.journal_id), reference="back")

        with pytest.raises(TransactionManagementError, match="repeatable read"):
            reverse_in_the_past()

        assert book() == before

    @pytest.mark.parametrize("times", [1, 2])
    def test_failure_of_a_statement_is_the_drivers_error(times):
        for _ in range(times):
            with pytest.raises(psycopg.errors.DivisionByZero) as caught:
                wire.run(b"SELECT 1 / $1::int", ["0"])
        assert caught.value.sqlstate == "22012"
        with pytest.raises(psycopg.errors.SyntaxError):
            wire.run(b"SELEC", [])

    def test_constraint_that_a_posting_breaks_is_djangos_error(monkeypatch):
        monkeypatch.setattr(journals, "_check_parents", lambda _drafts: None)
        with pytest.raises(IntegrityError, match="parent_id"):
            ledger.post(Move(cny(1), purse(10), purse()), reference="orphan", parent=UUID(int=1))

    def test_connection_that_the_server_ends_is_djangos_error_and_then_made_anew():
        source, target = purse(10), purse()
        ledger.post(Move(cny(1), source, target), reference="first")
        with psycopg.connect(connection.connection.info.dsn) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

        with pytest.raises(OperationalError):
            ledger.post(Move(cny(1), source, target), reference="second")

        connection.close_if_unusable_or_obsolete()
        assert ledger.post(Move(cny(1), source, target), reference="second").balances == {source.pk: 8, target.pk: 2}
