"""What manage.py verify says, to people and to machines, and what it cannot read."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from paymentsite.core import verification
from paymentsite.core.models import AuditEntry, JobRun, LastGoodRun

pytestmark = pytest.mark.django_db


def verify(capsys: Any, **how: Any) -> tuple[int, str]:
    code = 0
    try:
        call_command("verify", **how)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, capsys.readouterr().out


def test_command_says_that_all_is_well(capsys: Any) -> None:
    code, said = verify(capsys)

    assert code == 0
    assert "✓  core.audit_trail" in said
    assert "Everything looked at in" in said
    assert said.strip().endswith("all is well.")


def test_command_names_what_is_broken(capsys: Any, unprotected: Callable[[], AbstractContextManager[None]]) -> None:
    with unprotected():
        entry = AuditEntry.objects.create(at="2026-01-01T00:00Z", by="staff:1", act="none", subject="x")

    code, said = verify(capsys, only=["core"])

    assert code == 1
    assert "core.audit_trail: not true that the audit trail is as it was recorded" in said
    assert f"entry {entry.pk}: is neither sealed nor waiting" in said
    assert said.strip().endswith("1 broken.")


def test_command_tells_machines_in_one_object(capsys: Any) -> None:
    JobRun.objects.create(name="core.seal_audit", slot="2026-01-01T00:00Z")
    JobRun.objects.update(started_at=Now() - timedelta(hours=1))

    code, said = verify(capsys, json=True, only=["core.jobs_not_stuck", "core.approvals"])

    told = json.loads(said)
    assert (code, told["good"], told["since"], told["seen"]) == (1, False, None, {})
    stuck, approvals = told["checks"]
    assert (stuck["name"], stuck["count"], approvals["count"], approvals["findings"]) == (
        "core.jobs_not_stuck",
        1,
        0,
        [],
    )
    assert stuck["promise"] == "No job has been running for longer than it may."
    assert stuck["findings"][0]["subject"] == "job core.seal_audit"
    assert set(stuck) == {"name", "promise", "count", "seconds", "findings"}


def test_command_says_since_when_a_fast_run_looked(capsys: Any) -> None:
    verify(capsys)

    code, said = verify(capsys, fast=True)

    assert code == 0
    assert "Changes since" in said
    assert "core.constraints_obeyed" not in said
    told = json.loads(verify(capsys, fast=True, json=True)[1])
    assert told["since"] < LastGoodRun.objects.get().at.isoformat()


def test_command_shows_the_first_of_very_many(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "KEPT_MAX", 1)
    for name in ("core.seal_audit", "core.expire_approvals"):
        JobRun.objects.create(name=name, slot="2026-01-01T00:00Z")
    JobRun.objects.update(started_at=Now() - timedelta(hours=1))

    code, said = verify(capsys, only=["core.jobs_not_stuck"])

    assert code == 1
    assert "… and 1 more" in said


def test_command_reads_what_was_acknowledged(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "acknowledged"
    path.write_text('api\tone\r\n\n{"scope": "api", "reference": "two\\u2028"}\n')

    code, said = verify(capsys, json=True, external=path, only=["ledger.acknowledged_once"])

    subjects = [finding["subject"] for finding in json.loads(said)["checks"][0]["findings"]]
    assert (code, subjects) == (1, ["reference api one", "reference api two\u2028"])


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        ("external", "api one\n", "line 1: names no scope and reference"),
        ("external", "api\tone\n\tone\n", "line 2: names no scope and reference"),
        ("external", "api\t\n", "line 1: names no scope and reference"),
        ("external", '{"scope": 1, "reference": "x"}\n', "line 1: names no scope and reference"),
        ("external", '{"scope"\n', "line 1: Expecting"),
        ("external", b"\xff", "cannot be read"),
        ("external", None, "cannot be read"),
        ("head", "[]\n", "line 1: is no head"),
        ("head", "none\n", "line 1: Expecting"),
    ],
)
def test_command_refuses_a_file_that_it_cannot_read(
    tmp_path: Path, option: str, text: str | bytes | None, why: str
) -> None:
    path = tmp_path / "given"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(CommandError, match=why) as refused:
        call_command("verify", **{option: path})

    assert refused.value.returncode == 2


def test_command_refuses_a_check_that_there_is_not() -> None:
    with pytest.raises(CommandError, match=r"No check is called ledger\.nothing\. There are: cards\.") as refused:
        call_command("verify", only=["ledger.nothing"])

    assert refused.value.returncode == 2
