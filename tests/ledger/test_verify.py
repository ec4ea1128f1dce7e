"""Verify over whole books: silent on clean ones, under load too; what only something kept outside can show."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from paymentsite.core.findings import Finding
from paymentsite.ledger import proofs
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Block, Journal, Posting
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import cny, fund, hot, purse
from tests.ledger import books
from tests.ledger.verifying import faults, three_blocks, unseal, verify

pytestmark = pytest.mark.django_db

Unprotected = Callable[[], AbstractContextManager[None]]


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 8])
def test_clean_books_raise_no_alarm(seed: int) -> None:
    built = books.build(seed)

    assert verify().findings == []
    assert verify(fast=True).findings == []
    assert {"capture", "reverse", "exchange", "place", "issue", "spend_points", "dip", "batch"} <= set(built.done)
    assert {"refused_spend", "open_and_close"} <= set(built.refused)


def test_empty_books_raise_no_alarm() -> None:
    report = verify()

    assert report.findings == []
    assert report.seen == {}


@pytest.mark.parametrize(
    ("owner", "code"),
    [
        ("merchant:4111111111111111", "wallet"),
        ("partner:token=abc", "wallet"),
        ("merchant:5", "4111 1111 1111 1111"),
        ("test:1", "pin: 1"),
    ],
)
def test_account_named_like_a_card_or_a_secret_raises_no_alarm(owner: str, code: str, unprotected: Unprotected) -> None:
    account = ledger.open_account(owner=owner, code=code, unit="CNY", kind=Account.Kind.LIABILITY)
    assert verify().findings == []

    with unprotected():
        Account.objects.filter(pk=account.pk).update(owner="merchant:6", code="purse")

    assert faults(verify()) == {("ledger.account_is_as_recorded", f"account {account.pk}")}


def test_verify_counts_what_it_saw() -> None:
    books.build(1, acts=30)
    ledger.close_blocks()

    report = verify()

    assert report.seen == {
        "journals": Journal.objects.count(),
        "postings": Posting.objects.count(),
        "blocks": Block.objects.count(),
    }


def test_acknowledged_references_must_be_posted_once() -> None:
    source = purse(100)
    ledger.post(ledger.Move(cny(10), source, purse()), reference="done", scope="api")
    with pytest.raises(InsufficientFunds):
        ledger.post(ledger.Move(cny(1_000), source, purse()), reference="refused", scope="api")
    kept = [("api", "done"), ("api", "done"), ("api", "refused"), ("api", "lost"), ("other", "done")]

    report = verify(only=["ledger.acknowledged_once"], outside={"external": kept})

    assert report.findings == [
        Finding(
            "ledger.acknowledged_once", "reference api refused", "was acknowledged, and is in the books as refused"
        ),
        Finding("ledger.acknowledged_once", "reference api lost", "was acknowledged, and stands in no journals"),
        Finding("ledger.acknowledged_once", "reference other done", "was acknowledged, and stands in no journals"),
    ]
    assert report.seen == {"acknowledged references": 4}


@pytest.fixture
def sealed() -> tuple[Account, Account]:
    return three_blocks()


@pytest.mark.attack
def test_head_shows_that_the_tail_was_cut_off(sealed: object, unprotected: Unprotected) -> None:
    head = proofs.head()
    with unprotected():
        unseal(2)

    assert verify(outside={"head": [head]}).findings == [
        Finding("ledger.head_is_kept", "block 3", "was exported, and is gone")
    ]
    assert verify().findings == []


@pytest.mark.attack
def test_head_shows_that_the_tail_was_rewritten_with_our_own_key(sealed: object, unprotected: Unprotected) -> None:
    first, head = Block.objects.get(height=1), proofs.head()
    with unprotected():
        unseal(2)
    ledger.close_blocks(size=2)

    assert verify().findings == []
    assert faults(verify(outside={"head": [head]})) == {("ledger.head_is_kept", "block 3")}
    assert faults(verify(outside={"head": [proofs._shown(first), proofs.head()]})) == set()


@pytest.mark.attack
def test_head_that_is_none_or_contradicts_itself_is_said_to(sealed: object) -> None:
    head = proofs.head()
    assert head

    report = verify(outside={"head": [{}, {"fields": ["1", "block", "x"]}, head, {**head, "digest": "00"}]})

    assert [(finding.subject, finding.detail) for finding in report.findings] == [
        ("head 1", "is none that ledger_head wrote"),
        ("head 2", "is none that ledger_head wrote"),
        ("block 3", "its exported head contradicts itself"),
    ]


def test_ledger_head_adds_a_line_that_verify_reads(sealed: object, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "heads"
    call_command("ledger_head", output=path)
    ledger.post(ledger.Move(cny(1), hot(), purse()), reference="more")
    ledger.close_blocks()
    call_command("ledger_head", output=path)
    call_command("ledger_head")

    lines = path.read_text().splitlines()
    assert [json.loads(line)["fields"][2] for line in lines] == ["3", "4"]
    assert capsys.readouterr().out.strip() == lines[1]
    call_command("verify", head=path, only=["ledger.head_is_kept"])


def test_ledger_head_needs_a_block_and_a_place(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No block has been closed yet"):
        call_command("ledger_head")
    fund(purse(), 5)
    ledger.close_blocks()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("ledger_head", output=tmp_path / "no folder" / "heads")


def test_ledger_proof_prints_what_proves_a_journal(sealed: object, capsys: Any) -> None:
    journal = Journal.objects.order_by("pk")[4]

    call_command("ledger_proof", str(journal.pk))

    assert json.loads(capsys.readouterr().out) == proofs.prove(journal.pk)
    posted = fund(purse(), 5)
    with pytest.raises(CommandError, match="stands in no block yet"):
        call_command("ledger_proof", str(posted.journal_id))
