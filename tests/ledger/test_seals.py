"""Blocks, roll-up, snapshots, statements."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger import proofs, queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Journal, Leaf, Snapshot, Unsealed

pytestmark = pytest.mark.django_db


def cny(minor):
    return Money(minor, "CNY")


@pytest.fixture
def purse():
    return ledger.open_account(owner="test:a", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)


@pytest.fixture
def world():
    return ledger.house("cash", "CNY")


def fill(purse, world, count, start=0):
    for number in range(start, start + count):
        ledger.post(ledger.Move(cny(10), world, purse), reference=f"fill {number}")


def test_closing_seals_each_journal_once_and_rolls_hot_accounts_up(purse, world):
    fill(purse, world, 5)
    assert queries.standing(world).posted == cny(-50)
    assert Balance.objects.get(account=world).posted_minor == 0

    blocks = ledger.close_blocks(size=2)

    assert [block.journals for block in blocks] == [2, 2, 1]
    assert Unsealed.objects.count() == 0
    assert Leaf.objects.count() == 5
    assert Balance.objects.get(account=world).posted_minor == -50
    assert queries.standing(world).posted == cny(-50)
    assert ledger.close_blocks() == []
    assert [bytes(block.previous) for block in blocks[1:]] == [bytes(block.digest) for block in blocks[:-1]]


def test_proof_is_checked_by_a_script_that_knows_nothing_of_us(purse, world, tmp_path):
    fill(purse, world, 7)
    ledger.close_blocks()
    proof = proofs.prove(Journal.objects.order_by("pk")[3].pk)
    path = tmp_path / "proof.json"

    def check(*key):
        path.write_text(json.dumps(proof))
        command = [sys.executable, "script/check-proof", path, *key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines() or done.stderr.splitlines()

    code, said = check(proofs.head()["public_key"])
    assert (code, said[0]) == (0, "proven: the journal stands in the signed block as the proof tells it")
    journal = Journal.objects.order_by("pk")[3]
    assert f"reference: {journal.reference}" in said
    posting = journal.postings.get()
    moves = f"moves: 10 smallest parts of CNY from account {posting.source_id} to account {posting.target_id}"
    assert said[-1] == moves

    # Whoever forges a proof puts their own key there.
    assert check(Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()) == (
        1,
        ["the block is not signed by that key"],
    )
    code, said = check()
    assert (code, "PUBLIC_KEY_HEX" in said[0]) == (1, True)
    proof["journal"][4] += "0"
    assert check(proofs.head()["public_key"]) == (1, ["the leaf names another journal"])


@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_what_is_no_proof_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "proof.json"
    if content is not None:
        path.write_text(content)

    command = [sys.executable, "script/check-proof", path, "00"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "proof.json cannot be read as a proof: " in done.stderr
    assert "Traceback" not in done.stderr


def test_statement_pages_through_everything_once(purse, world):
    fill(purse, world, 7)
    ledger.post(ledger.Move(cny(25), purse, world), reference="out")
    for account in (purse, world):
        page, seen = "", []
        while page is not None:
            part = queries.statement(account, page=page, limit=3)
            seen += part.lines
            page = part.next_page
        assert len(seen) == 8
        assert sum(line.amount.minor for line in seen) == queries.standing(account).posted.minor
        assert len({line.posting_id for line in seen}) == 8


def test_page_that_is_crossed_by_postings_lacks_none(purse, world):
    fill(purse, world, 3)
    asked = []

    def cross(execute, sql, params, many, context):
        if 'FROM "ledger_posting"' in sql:
            asked.append(sql)
            if len(asked) == 2:
                fill(purse, world, 1, start=90)
                ledger.post(ledger.Move(cny(1), purse, world), reference="crossing")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cross):
        page = queries.statement(purse)

    assert [line.seq for line in page.lines] == [5, 4, 3, 2, 1]


def test_balance_at_any_moment_is_what_was_recorded_by_then(purse, world):
    start = clock.now()
    moments = []
    for day in range(6):
        with clock.standing(start + timedelta(days=day)):
            fill(purse, world, 2, start=day * 2)
            if day % 2:
                ledger.take_snapshot()
            moments.append(clock.now())
    assert Snapshot.objects.count() == 6
    for account, sign in ((purse, 1), (world, -1)):
        assert [queries.balance_at(account, moment) for moment in moments] == [cny(sign * 20 * n) for n in range(1, 7)]
        assert queries.balance_at(account, start - timedelta(days=1)) == cny(0)
        period = queries.statement_between(account, since=moments[2], until=moments[4])
        assert (period.opening, len(period.lines), period.closing) == (cny(sign * 40), 4, cny(sign * 80))


def test_trial_balance_is_even(purse, world):
    fill(purse, world, 3)
    ledger.close_blocks()
    fill(purse, world, 2, start=3)
    assert [(line.code, line.debit, line.credit) for line in queries.trial_balance()] == [
        ("cash", cny(50), cny(0)),
        ("wallet", cny(0), cny(50)),
    ]


def test_balance_at_counts_what_is_sealed_while_it_is_read(purse, world, monkeypatch):
    """A journal that leaves the waiting rows between two reads must be met in the blocks, not in neither."""
    fill(purse, world, 2)
    ledger.take_snapshot()
    fill(purse, world, 1, start=2)
    asked = []
    order_by = Unsealed.objects.order_by

    def seal_meanwhile(*fields):
        first = list(order_by(*fields))
        asked.append(ledger.close_blocks())
        monkeypatch.undo()
        return (
            Unsealed.objects.filter(pk__in=[row.pk for row in first]).order_by(*fields) if not first else _Kept(first)
        )

    monkeypatch.setattr(Unsealed.objects, "order_by", seal_meanwhile)

    assert queries.balance_at(world, clock.now()) == cny(-30)
    assert len(asked[0]) == 1


class _Kept(list):
    """Rows as they were read."""

    def values_list(self, *_fields, flat):
        assert flat
        return _Kept(row.pk for row in self)

    def first(self):
        return self[0]
