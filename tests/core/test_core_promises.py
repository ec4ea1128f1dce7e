"""What must always be true of the core itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import transaction

from paymentsite.core import verification
from paymentsite.core.actors import Actor
from paymentsite.core.findings import Finding
from paymentsite.core.models import Approval, AuditEntry, JobRun
from paymentsite.core.services import audit

pytestmark = pytest.mark.django_db

ANN = Actor("staff", "1")


def found(check: str) -> list[Finding]:
    return verification.discover().run(only=[check]).findings


def test_audit_trail_is_looked_at(unprotected: Callable[[], AbstractContextManager[None]]) -> None:
    with transaction.atomic():
        entry = audit.record(by=ANN, act="a", subject="x")
    audit.seal_all()
    with unprotected():
        AuditEntry.objects.update(by="staff:2")

    (finding,) = found("core.audit_trail")

    assert (finding.subject, finding.detail) == (
        f"entry {entry.pk}",
        "a of x by staff:2 is not what was sealed at 1 (audit_altered)",
    )


def test_approvals_are_looked_at(unprotected: Callable[[], AbstractContextManager[None]]) -> None:
    with unprotected():
        forged = Approval.objects.create(
            act="a",
            arguments={},
            reason="r",
            proposed_by="staff:1",
            proposed_person="staff:1",
            proposed_at="2026-01-01T00:00Z",
            expires_at="2026-01-02T00:00Z",
            digest="0" * 64,
            effect={},
        )

    assert {finding.subject for finding in found("core.approvals")} == {f"approval {forged.pk}"}


def test_job_within_its_lease_is_not_stuck() -> None:
    JobRun.objects.create(name="core.seal_audit", slot="2026-01-01T00:00Z")

    assert found("core.jobs_not_stuck") == []


def test_development_keys_are_a_finding_in_production_alone(settings: Any) -> None:
    assert found("core.vault_keys") == []

    settings.PRODUCTION = True
    assert {finding.subject for finding in found("core.vault_keys")} == {"the vault"}


def test_keys_that_cannot_be_had_are_a_finding(settings: Any) -> None:
    settings.VAULT_PROVIDER = "nobody"

    (finding,) = found("core.vault_keys")
    assert finding.detail.startswith("VAULT_PROVIDER is none of")
