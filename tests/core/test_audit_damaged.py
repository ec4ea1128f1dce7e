"""Whatever is done to the audit trail past the services is found and named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models

from paymentsite.core.models import AuditEntry, AuditLink, AuditSeal, AuditWaiting
from paymentsite.core.services import audit
from tests.core.trail import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed() -> list[AuditEntry]:
    """Six entries under two seals."""
    entries = recorded(6)
    audit.seal(size=3)
    audit.seal()
    return entries


Damage = Callable[[list[AuditEntry]], Any]


def rows(model: type[models.Model], **which: Any) -> Any:
    return model._base_manager.filter(**which)


def swap(a: AuditEntry, b: AuditEntry) -> None:
    first, second = AuditLink.objects.get(entry=a), AuditLink.objects.get(entry=b)
    rows(AuditLink, pk=first.pk).update(entry_id=-1)
    rows(AuditLink, pk=second.pk).update(entry_id=a.pk)
    rows(AuditLink, pk=first.pk).update(entry_id=b.pk)


def redo(entry: AuditEntry) -> None:
    """Change an entry and recompute its link, as someone who knows the code would."""
    rows(AuditEntry, pk=entry.pk).update(by="staff:9")
    link = AuditLink.objects.get(entry=entry)
    before = AuditLink.objects.get(position=link.position - 1)
    digest = audit.link_digest(bytes(before.digest), link.position, AuditEntry.objects.get(pk=entry.pk))
    rows(AuditLink, pk=link.pk).update(digest=digest)


def insert(**more: Any) -> AuditEntry:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return AuditEntry.objects.create(at=at, by="staff:1", act="fee.changed", subject="fee:x", **more)


def link(position: int) -> None:
    AuditLink.objects.create(position=position, entry=insert(), digest=b"x")


DAMAGES: list[tuple[Damage, list[tuple[str, str]]]] = [
    *(
        (
            lambda e, change=change: rows(AuditEntry, pk=e[1].pk).update(**change),
            [("audit_altered", "entry 2")],
        )
        for change in (
            {"by": "staff:2"},
            {"act": "fee.kept"},
            {"subject": "fee:7"},
            {"before": {"n": 1}},
            {"after": None},
            {"reason": "because"},
            {"request_id": "r"},
            {"address": "192.0.2.1"},
            {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        )
    ),
    (lambda e: redo(e[1]), [("audit_altered", "entry 3")]),
    (lambda e: redo(e[2]), [("audit_seal", "seal 1"), ("audit_altered", "entry 4")]),
    (lambda e: swap(e[3], e[4]), [("audit_altered", "entry 5"), ("audit_altered", "entry 4")]),
    (lambda e: rows(AuditEntry, pk=e[4].pk)._raw_delete("default"), [("audit_deleted", "entry 5")]),
    (
        lambda e: (rows(AuditLink, entry=e[3]).delete(), rows(AuditEntry, pk=e[3].pk).delete()),
        [("audit_link_missing", "position 4")],
    ),
    (
        lambda _: rows(AuditLink, position__gt=4).delete(),
        [("audit_link_missing", "position 5"), ("audit_inserted", "entry 5"), ("audit_inserted", "entry 6")],
    ),
    (lambda _: insert(), [("audit_inserted", "entry 7")]),
    (lambda _: link(7), [("audit_inserted", "position 7")]),
    (lambda _: link(0), [("audit_inserted", "position 0")]),
    (lambda e: AuditWaiting.objects.create(entry=e[0]), [("audit_waiting", "entry 1")]),
    (lambda _: rows(AuditSeal, number=2).update(signature=b"x" * 64), [("audit_seal", "seal 2")]),
    (lambda _: rows(AuditSeal, number=2).update(key_id="unknown"), [("audit_seal", "seal 2")]),
    (
        lambda _: rows(AuditSeal, number=1).delete(),
        [("audit_seal", "seal 1")],
    ),
    (
        lambda _: rows(AuditSeal, number=2).update(number=3),
        [("audit_seal", "seal 3"), ("audit_seal", "seal 3")],
    ),
    (
        lambda _: rows(AuditSeal, number=2).delete(),
        [("audit_inserted", f"position {n}") for n in (4, 5, 6)],
    ),
]


@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize(("damage", "named"), DAMAGES)
def test_verify_names_what_was_damaged(sealed, unprotected, damage: Damage, named: list[tuple[str, str]]) -> None:
    assert audit.verify() == []

    with unprotected():
        damage(sealed)

    assert [(finding.check, finding.subject) for finding in audit.verify()] == named


def test_cut_tail_is_found_by_a_head_that_was_exported(sealed, unprotected, tmp_path, capsys) -> None:
    heads = tmp_path / "heads"
    call_command("audit_head", output=heads)
    looked = {"only": ["core.audit_trail", "core.audit_head_is_kept"], "head": heads}
    call_command("verify", **looked)

    with unprotected():
        for model in (AuditLink, AuditEntry):
            rows(model, pk__gt=sealed[2].pk if model is AuditEntry else 3).delete()
        rows(AuditSeal, number=2).delete()

    assert audit.verify() == []
    capsys.readouterr()
    with pytest.raises(SystemExit):
        call_command("verify", **looked)
    assert "seal 2: is not the one that was exported" in capsys.readouterr().out


def test_head_of_nothing_is_none_and_no_other_is_known(sealed) -> None:
    assert audit.knows(audit.head())
    assert not any(audit.knows(other) for other in ("", "x", "1", "2:00", "99:00"))


def test_verify_reads_in_pieces(sealed, unprotected, monkeypatch) -> None:
    monkeypatch.setattr(audit, "CHUNK", 2)
    assert audit.verify() == []

    with unprotected():
        rows(AuditEntry, pk=sealed[4].pk).update(by="staff:2")

    assert [finding.subject for finding in audit.verify()] == [f"entry {sealed[4].pk}"]


def test_findings_say_what_happened(sealed, unprotected) -> None:
    with unprotected():
        rows(AuditEntry, pk=sealed[1].pk).update(by="staff:2")

    (finding,) = audit.verify()
    assert finding.detail == "fee.changed of fee:2 by staff:2 is not what was sealed at 2"
    assert json.dumps(finding.subject) == f'"entry {sealed[1].pk}"'
