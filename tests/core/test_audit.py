"""The audit trail says who did what, keeps no secrets, and shows when it was touched."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
import structlog
from django.db import IntegrityError, connection, transaction

from members.models import User
from paymentsite.core import origin, tasks, vault
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import AuditEntry, AuditLink, AuditSeal, AuditWaiting
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from tests.core.trail import ANN, recorded

pytestmark = pytest.mark.django_db


CARD = "4111 1111 1111 1111"


@pytest.mark.django_db(transaction=True)
def test_record_refuses_to_stand_alone() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="must be recorded in the transaction"):
        audit.record(by=ANN, act="fee.changed", subject="fee:1")

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_record_goes_back_with_its_act() -> None:
    with transaction.atomic():
        audit.record(by=ANN, act="fee.changed", subject="fee:1")
        transaction.set_rollback(True)

    assert (AuditEntry.objects.count(), AuditWaiting.objects.count()) == (0, 0)


def test_record_keeps_who_what_subject_and_change() -> None:
    user = User.objects.create_user("ann@example.com")

    (entry,) = recorded(
        subject=user, before={"limit": Money(100, "CNY")}, after={"limit": 2, "by": SYSTEM}, reason="asked"
    )

    entry.refresh_from_db()
    assert (entry.by, entry.act, entry.subject, entry.reason) == (
        "staff:1",
        "fee.changed",
        f"members.user:{user.pk}",
        "asked",
    )
    assert entry.before == {"limit": {"amount": 100, "currency": "CNY"}}
    assert entry.after == {"limit": 2, "by": "system:paymentsite"}
    assert AuditEntry.objects.of(user).get() == entry
    assert str(entry) == f"fee.changed members.user:{user.pk}"


def test_record_keeps_the_request_and_the_address() -> None:
    with structlog.contextvars.bound_contextvars(request_id="r" * 150), origin.at(address="192.0.2.7"):
        (entry,) = recorded()

    assert (entry.request_id, entry.address) == ("r" * 100, "192.0.2.7")


def test_record_keeps_the_task_when_there_is_no_request() -> None:
    with structlog.contextvars.bound_contextvars(task_id="t1"):
        (entry,) = recorded()

    assert (entry.request_id, entry.address) == ("t1", "")


def test_record_survives_text_that_no_database_stores() -> None:
    (entry,) = recorded(subject="x", after={"name\0": "a\0b\ud800"}, reason="\0")

    entry.refresh_from_db()
    assert entry.after == {"name\ufffd": "a\ufffdb?"}
    assert audit.seal() is not None
    assert audit.verify() == []


@pytest.mark.attack
def test_record_keeps_no_secret() -> None:
    canary = "canary-7f3a"
    values = {
        "password": canary,
        "new_password": canary,
        "pin": 271828,
        "cvv": "271828",
        "api_key": canary,
        "totp": "271828",
        "nested": [{"token": canary, "card_number": CARD}, (vault.Secret(canary),)],
        "wrapped": vault.Secret(canary),
        "note": f"paid with {CARD}, password={canary}",
        "digits": CARD.replace(" ", ""),
    }
    where = structlog.contextvars.bound_contextvars(request_id=f"token={canary}")

    with where:
        recorded(before=values, after=values, reason=f"card {CARD}")

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM core_auditentry")
        row = str(cursor.fetchall())
    assert canary not in row
    assert "271828" not in row
    assert "4111" not in row


def test_record_names_rows_and_actors() -> None:
    user = User.objects.create_user("ann@example.com")

    (entry,) = recorded(after={"user": user, "by": ANN, "ids": (1, 2)})

    assert entry.after == {"user": f"members.user:{user.pk}", "by": "staff:1", "ids": [1, 2]}


def test_record_keeps_that_a_secret_is_set_or_not() -> None:
    (entry,) = recorded(after={"pin_set": True, "otp": None, "tags": {"b", "a"}})

    assert entry.after == {"pin_set": True, "otp": None, "tags": ["a", "b"]}


def test_record_refuses_floats() -> None:
    with pytest.raises(TypeError, match="float"):
        recorded(after={"rate": 0.1})


@pytest.mark.parametrize("change", [lambda e: e.save(), lambda e: e.delete()])
def test_entry_is_never_changed(change: Callable[[AuditEntry], Any]) -> None:
    (entry,) = recorded()
    AuditWaiting.objects.all().delete()

    with pytest.raises(IntegrityError), transaction.atomic():
        change(entry)

    assert AuditEntry.objects.get() == entry


def test_seal_finds_nothing_to_do() -> None:
    assert audit.seal() is None
    assert audit.seal_all() == 0
    assert audit.head() == ""
    assert audit.verify() == []


def test_seal_covers_what_waits_once() -> None:
    recorded(5)

    assert audit.seal_all() == 1
    recorded(2)
    assert audit.seal_all() == 1

    assert [s.last_position for s in AuditSeal.objects.order_by("number")] == [5, 7]
    assert AuditLink.objects.count() == 7
    assert not AuditWaiting.objects.exists()
    assert audit.head() == str(AuditSeal.objects.get(number=2))
    assert audit.verify() == []


def test_seal_job_says_how_many_seals_it_made() -> None:
    assert tasks.seal_audit(now=datetime(2026, 1, 1, tzinfo=UTC)) == "0 seals"
    recorded()
    assert str(AuditWaiting.objects.get()) == str(AuditEntry.objects.get().pk)

    assert tasks.seal_audit(now=datetime(2026, 1, 1, tzinfo=UTC)) == "1 seals"

    assert str(AuditLink.objects.get()) == "1"


def test_seal_takes_as_much_as_it_is_told() -> None:
    recorded(5)

    made = audit.seal(size=2)

    assert made is not None
    assert made.last_position == 2
    assert AuditWaiting.objects.count() == 3
    assert audit.verify() == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_sealers_beside_writers_lose_nothing_and_cover_nothing_twice(together) -> None:
    def work(number: int) -> None:
        for _ in range(20):
            if number < 6:
                recorded(1)
            else:
                audit.seal(size=7)

    assert together(8, work) == [None] * 8
    audit.seal_all()

    assert AuditEntry.objects.count() == 120
    assert list(AuditLink.objects.order_by("position").values_list("position", flat=True)) == list(range(1, 121))
    assert AuditSeal.objects.count() > 1
    assert audit.verify() == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_sealers_that_do_not_queue_collide(together, monkeypatch) -> None:
    recorded(200)
    monkeypatch.setattr(audit, "_queue", lambda: None)

    results = together(8, lambda _: audit.seal(size=100))

    assert any(isinstance(result, IntegrityError) for result in results)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_entry_committed_late_is_sealed_later(together) -> None:
    """A smaller id that is committed after a larger one was sealed: where a watermark would lose it."""
    written, sealed_beside = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def work(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                audit.record(by=ANN, act="slow", subject="x")
                written.wait()
                sealed_beside.wait()
            return
        written.wait()
        recorded(1, act="fast")
        assert audit.seal() is not None
        sealed_beside.wait()

    assert together(2, work) == [None, None]
    assert audit.seal() is not None

    in_order = AuditLink.objects.order_by("position").values_list("entry__act", flat=True)
    assert list(in_order) == ["fast", "slow"]
    assert AuditEntry.objects.get(act="slow").pk < AuditEntry.objects.get(act="fast").pk
    assert audit.verify() == []
