"""Whatever members do to each other's money: a plain model says the same, and refusals change nothing."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from members.services import members
from tests.wallets.histories.asking import Asking
from tests.wallets.histories.giving import Giving
from tests.wallets.histories.world import Met
from wallets.services import fees, gift_links, requests, transfers, wallets

STEPS = 30
CHUNK, CHUNKS = 100, 20

pytestmark = pytest.mark.django_db


class Histories(Asking, Giving):
    """All the nouns there are. A new one is a mixin named here."""


def run(histories: int, **options: object) -> Met:
    fresh = type("Fresh", (Histories,), {"met": Met()})
    run_state_machine_as_test(
        fresh,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )
    return fresh.met


def assert_worth_it(met: Met, histories: int) -> None:
    """They were as many and as long as asked for, and much was done in them, and much refused."""
    assert met.histories >= histories
    assert met.steps >= histories * STEPS / 3
    for answer in ("send done", "pay done", "claim done", "send insufficient_funds", "return done"):
        assert met.answers[answer] >= histories / 20, (answer, met.answers)


def test_histories_agree_with_the_model():
    assert_worth_it(run(20), 20)


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_thousands_of_histories_agree_with_the_model(chunk):
    assert_worth_it(run(CHUNK, derandomize=False), CHUNK)


# Controls: each of these plants a bug that the histories must find.

Patch = pytest.MonkeyPatch


def suspended_may_act(patch: Patch) -> None:
    patch.setattr(members, "check_active", lambda _member: None)


def paid_request_stays_open(patch: Patch) -> None:
    patch.setattr(requests, "_end", lambda *_, **__: None)


def given_back_is_kept(patch: Patch) -> None:
    """The gift is marked returned, and what was held for it stays held."""

    def mark(gift: object, state: object, *, by: object, now: object) -> object:
        del by
        gift = gift_links._read(gift)
        gift_links._end(gift, state, now)
        return gift

    patch.setattr(gift_links, "_give_back", mark)


def repetition_is_not_compared(patch: Patch) -> None:
    patch.setattr(transfers, "check_same", lambda *_, **__: None)


def frozen_wallet_is_not_looked_at(patch: Patch) -> None:
    patch.setattr(wallets, "check_open", lambda _wallet: None)


def wrong_fee(patch: Patch) -> None:
    entries = fees.entries
    patch.setattr(
        fees,
        "entries",
        lambda quote, account: (
            [
                *entries(quote, account),
                transfers.ledger.Move(quote.amount.split(2)[0], account, transfers.ledger.house("fees", "CNY")),
            ]
            if quote.amount.minor > 1
            else entries(quote, account)
        ),
    )


BUGS: list[Callable[[Patch], None]] = [
    suspended_may_act,
    paid_request_stays_open,
    given_back_is_kept,
    repetition_is_not_compared,
    frozen_wallet_is_not_looked_at,
    wrong_fee,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_histories_find_a_planted_bug(bug, monkeypatch):
    bug(monkeypatch)

    with pytest.raises(AssertionError):
        run(200, phases=[Phase.generate])
