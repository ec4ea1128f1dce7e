"""A fast run looks at what changed, and says no more than it saw."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from paymentsite.core.models import LastGoodRun
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Block, Journal, Posting
from paymentsite.ledger.verify import scope
from tests.factories import cny, fund, purse
from tests.ledger.verifying import faults, three_blocks, unseal, verify

pytestmark = pytest.mark.django_db

Unprotected = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def sealed() -> tuple[Account, Account]:
    return three_blocks()


def test_fast_looks_at_what_changed_since_the_last_good_run(sealed: tuple[Account, Account]) -> None:
    assert verify().seen == {"journals": 9, "postings": 9, "blocks": 3}
    target, source = sealed
    ledger.post(ledger.Move(cny(10), source, target), reference="sealed later")
    ledger.close_blocks()
    ledger.post(ledger.Move(cny(10), source, target), reference="not sealed")

    report = verify(fast=True)

    assert report.findings == []
    assert report.seen == {"journals": 2, "postings": 2, "blocks": 1}
    assert verify(fast=True).seen == {"journals": 1, "postings": 1}


def test_fast_without_an_earlier_good_run_looks_at_everything(sealed: object) -> None:
    report = verify(fast=True)

    assert (report.since, report.seen["journals"]) == (None, 9)


def test_fast_looks_at_the_whole_history_of_touched_accounts(
    sealed: tuple[Account, Account], unprotected: Unprotected
) -> None:
    verify()
    target, source = sealed
    ledger.post(ledger.Move(cny(10), source, target), reference="later")
    first = Posting.objects.filter(target=target).order_by("pk")[0]
    with unprotected():
        Posting.objects.filter(pk=first.pk).update(amount_minor=11)

    found = faults(verify(fast=True))

    assert {
        ("ledger.running_balance", f"posting {first.pk}"),
        ("ledger.balance_is_history", f"account {target.pk}"),
        ("ledger.balance_is_history", f"account {source.pk}"),
    } == found


def test_fast_leaves_untouched_history_to_whole_runs(sealed: tuple[Account, Account], unprotected: Unprotected) -> None:
    verify()
    fund(purse(), 5)
    with unprotected():
        Journal.objects.filter(reference="fill 0").update(actor="staff:9")

    assert verify(fast=True).findings == []
    assert {check for check, _ in faults(verify())} == {"ledger.journal_digest"}


@pytest.mark.parametrize("damage", [lambda: unseal(3), lambda: Block.objects.filter(height=3).update(digest=bytes(32))])
def test_fast_finds_that_the_chain_no_longer_begins_where_it_ended(
    sealed: object, unprotected: Unprotected, damage: Callable[[], Any]
) -> None:
    verify()
    with unprotected():
        damage()

    assert ("ledger.block_chain", "block 3") in faults(verify(fast=True))


def test_fast_over_very_many_touched_accounts_looks_at_all(
    sealed: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    verify()
    fund(sealed[0], 5)
    monkeypatch.setattr(scope, "ACCOUNTS_MAX", 0)
    Balance.objects.filter(pk=purse(code="untouched").pk).update(seq=1)
    untouched = Account.objects.get(code="untouched")

    assert ("ledger.postings_counted", f"account {untouched.pk}") in faults(verify(fast=True))


def test_marks_are_kept_only_by_a_good_run_of_all(sealed: tuple[Account, Account], unprotected: Unprotected) -> None:
    verify(only=["ledger"])
    assert not LastGoodRun.objects.exists()
    Balance.objects.filter(pk=sealed[0].pk).update(seq=1)
    verify()
    assert not LastGoodRun.objects.exists()

    Balance.objects.filter(pk=sealed[0].pk).update(seq=9)
    verify()
    assert LastGoodRun.objects.get().marks["ledger"]["height"] == 3
