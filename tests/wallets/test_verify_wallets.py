"""A wallet is as it was left, and its account with it; where they come apart, verify names the wallet."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from tests.wallets.factories import wallet
from wallets.models import Wallet
from wallets.services import wallets

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")
CHECK = "wallets.state_is_account_status"
Unprotected = Callable[[], AbstractContextManager[None]]


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[CHECK]).findings]


def frozen() -> Wallet:
    return wallets.freeze(wallet=wallet(), by=STAFF, reason="asked")


def thawed() -> Wallet:
    return wallets.thaw(wallet=frozen(), by=STAFF, reason="over")


def closed() -> Wallet:
    return wallets.close(wallet=wallet(), by=STAFF, reason="done with")


def by_hand(purse: Wallet, status: str) -> Wallet:
    ledger.set_status(account=purse.account, status=Balance.Status(status), by=STAFF, reason="court")
    return purse


@pytest.mark.parametrize("make", [wallet, frozen, thawed, closed])
def test_wallet_as_it_was_left_is_clean(make: Callable[[], Wallet]) -> None:
    make()
    report = verification.discover().run(only=[CHECK])

    assert (report.findings, report.seen["wallets"]) == ([], 1)


@pytest.mark.parametrize("status", ["no_debit", "frozen", "closed"])
@pytest.mark.parametrize("make", [wallet, thawed])
def test_account_of_an_open_wallet_made_stricter_by_hand_is_clean(make: Callable[[], Wallet], status: str) -> None:
    by_hand(make(), status)

    assert named() == []


def test_account_of_a_frozen_wallet_made_stricter_by_hand_is_clean() -> None:
    by_hand(frozen(), "frozen")

    assert named() == []


def test_account_of_a_frozen_wallet_opened_by_hand_is_named() -> None:
    purse = by_hand(frozen(), "open")

    assert named() == [f"wallet {purse.pk}"]


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (frozen, "open"),
        (frozen, "closed"),
        (wallet, "frozen"),
        (thawed, "frozen"),
        (wallet, "closed"),
        (closed, "open"),
        (closed, "frozen"),
    ],
)
def test_state_set_behind_our_back_is_named(make: Callable[[], Wallet], state: str) -> None:
    wallet()
    purse = make()
    # The state has to stay open to UPDATE: it is what freezing changes. So no trigger has to be off.
    Wallet.objects.filter(pk=purse.pk).update(state=state)

    assert named() == [f"wallet {purse.pk}"]


def test_state_set_back_is_named_though_its_account_was_changed_by_hand() -> None:
    purse = by_hand(frozen(), "frozen")
    Wallet.objects.filter(pk=purse.pk).update(state="open")

    assert named() == [f"wallet {purse.pk}"]


@pytest.mark.parametrize(
    ("make", "status"), [(wallet, "no_debit"), (thawed, "frozen"), (frozen, "open"), (closed, "no_debit")]
)
def test_status_set_behind_our_back_is_named(make: Callable[[], Wallet], status: str) -> None:
    wallet()
    purse = make()
    Balance.objects.filter(pk=purse.account_id).update(status=status)

    assert named() == [f"wallet {purse.pk}"]


def test_wallet_moved_to_another_account_is_named(unprotected: Unprotected) -> None:
    purse, other = frozen(), wallet()
    spare = ledger.open_account(owner=other.account.owner, code="spare", unit="CNY", kind=other.account.kind, by=SYSTEM)
    with unprotected():
        Wallet.objects.filter(pk=purse.pk).update(account=spare)

    assert named() == [f"wallet {purse.pk}"]


def test_wallet_of_which_nothing_is_told_is_named(unprotected: Unprotected) -> None:
    purse = wallet()
    with unprotected():
        AuditEntry.objects.of(purse).update(subject="wallets.wallet:0")

    assert named() == [f"wallet {purse.pk}"]
