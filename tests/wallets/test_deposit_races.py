"""Whoever asks at once for deposits to one account is sent two; guesses at once are three in all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.members.factories import member
from tests.planting import turns_red
from tests.wallets.deposits import account, confirm, sent, spent, start, wrong
from tests.wallets.gateways import route, sandboxes
from wallets.models import AccountProof
from wallets.services import account_proofs
from wallets.services.account_proofs import TooManyProofs

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 10
Together = Callable[[int, Callable[[int], Any]], list[Any]]


@pytest.fixture(autouse=True)
def sandbox(tmp_path: Path):
    with sandboxes(tmp_path, "sandbox"):
        route("payout")
        yield


def one_start(together: Together, count: int) -> None:
    """All hear of one proof, and its two deposits alone went out."""
    before, saved = spent(), account()

    started = together(count, lambda _number: start(saved))

    assert AccountProof.objects.filter(account=saved.pk).count() == 1
    proof = AccountProof.objects.get(account=saved.pk)
    assert started == [proof] * count
    assert [each.state for each in sent(proof)] == ["succeeded"] * 2
    assert spent() - before == proof.first_minor + proof.second_minor


def last_start(together: Together, count: int) -> None:
    """Of starts for several accounts of one member, as many as may be are sent."""
    ada = member()
    saved = [account(40 + number, of=ada) for number in range(count)]

    started = together(count, lambda number: start(saved[number]))

    refused = [each for each in started if isinstance(each, TooManyProofs)]
    assert len(started) - len(refused) == account_proofs.STARTS_MAX
    assert AccountProof.objects.filter(account__member=ada).count() == account_proofs.STARTS_MAX


@pytest.mark.parametrize("race", [one_start, last_start], ids=lambda race: race.__name__)
def test_at_once_no_more_is_sent_than_may_be(together: Together, race: Callable[..., None]):
    for _ in range(ROUNDS):
        race(together, 8)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("race", [one_start, last_start], ids=lambda race: race.__name__)
def test_without_a_lock_on_the_member_more_is_sent(together: Together, race: Callable[..., None]):
    turns_red(race, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_without_lock_and_constraint_four_are_sent(together: Together, without):
    """Nor does anybody hear of a refusal: what goes out is counted."""
    without(AccountProof, "wallets_accountproof_one_open")

    turns_red(one_start, together, 2)


def test_guesses_at_once_are_three_in_all(together: Together):
    saved = account()
    proof = start(saved)

    answers = together(32, lambda _number: confirm(saved, *wrong(proof)))

    assert sorted(type(answer).__name__ for answer in answers) == ["DepositsWrong"] * 3 + ["NoDepositsWaiting"] * 29
