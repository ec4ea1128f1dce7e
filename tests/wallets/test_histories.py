"""Whatever members do to each other's money: a plain model says the same, and refusals change nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.examples import some
from tests.wallets.gateways import sandboxes
from tests.wallets.histories.asking import Asking
from tests.wallets.histories.bugs import BUGS
from tests.wallets.histories.crediting import Crediting
from tests.wallets.histories.exchanging import Exchanging
from tests.wallets.histories.giving import Giving
from tests.wallets.histories.ordering import Ordering
from tests.wallets.histories.plans import AMOUNT_MAX
from tests.wallets.histories.topping_up import ToppingUp
from tests.wallets.histories.withdrawing import Withdrawing
from tests.wallets.histories.world import PEOPLE, Met, World

FEW, STEPS = 10, 30
HISTORIES = max(some(FEW), 5)
CHUNK, CHUNKS = 100, 20

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(tmp_path: Path) -> Iterator[None]:
    with (
        sandboxes(tmp_path, "sandbox", adapter="tests.wallets.gateways.Remembering"),
        override_settings(WITHDRAWAL_PIN_ABOVE={"CNY": 1_000_000}, STANDING_ORDER_MAX={"CNY": AMOUNT_MAX}),
    ):
        yield


class Histories(Asking, Giving, Ordering, Exchanging, Withdrawing, ToppingUp, Crediting):
    """All the nouns there are. A new one is a mixin named here."""


def run(histories: int, of: type[World] = Histories, **options: object) -> Met:
    fresh = type("Fresh", (of,), {"met": Met()})
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


# What histories have to meet, or they are hollow: of these several times as many as of those below.
OFTEN = (
    *("send done", "top up done", "withdraw done", "offer done", "order done", "earn done", "standing done"),
    *("ToppedUp open then succeeded", "Withdrawn open then succeeded", "accept done", "credit done"),
)
SOMETIMES = (
    *("send insufficient_funds", "send limit_exceeded", "pay done", "claim done", "return done"),
    *("top up limit_exceeded", "top up top_up_below_fee", "top up balance_limit_exceeded", "ToppedUp open then failed"),
    *("ToppedUp failed then succeeded", "ToppedUp succeeded then returned", "ToppedUp open then conflict"),
    *("withdraw insufficient_funds", "withdraw limit_exceeded", "withdraw limit_exceeded_at_once"),
    *("Withdrawn open then failed", "Withdrawn failed then succeeded", "Withdrawn succeeded then returned"),
    *("accept insufficient_funds", "accept quote_expired", "accept quote_used", "accept balance_limit_exceeded"),
    *("order standing_order_too_large", "standing wallet_frozen", "standing insufficient_funds", "standing paused"),
    *("reward done", "reward again done", "credit insufficient_funds", "credit balance_limit_exceeded", "points lost"),
)


def assert_worth_it(met: Met, histories: int) -> None:
    """They were as many and as long as asked for, and much was done in them, and much refused."""
    assert met.histories >= histories
    assert met.steps >= histories * STEPS / 3
    # In a few histories chance may leave out some of the many, and in a handful more of them.
    often, sometimes = (0, 0) if histories >= CHUNK else (0, 4) if histories >= FEW else (2, 10)
    for answers, share, missed_max in ((OFTEN, 4, often), (SOMETIMES, 20, sometimes)):
        missed = {answer: met.answers[answer] for answer in answers if met.answers[answer] < histories / share}
        assert len(missed) <= missed_max, (missed, met.answers)


@pytest.mark.first
def test_histories_agree_with_the_model():
    assert_worth_it(run(HISTORIES), HISTORIES)


def test_model_knows_that_suspended_members_resume_no_standing_order():
    history = type("Fresh", (Ordering,), {"met": Met()})()
    try:
        history.beginning(minors=[100] * PEOPLE, one=0, number=0)
        for on in (True, False):
            history.membership(one=history.ordered[0].one, on=on)
            history.pause_and_resume(number=0)
            history.compare()
    finally:
        history.teardown()

    assert [history.met.answers[f"resume {answer}"] for answer in ("member_suspended", "done")] == [1, 1]


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_thousands_of_histories_agree_with_the_model(chunk):
    assert_worth_it(run(CHUNK, derandomize=False), CHUNK)


# Controls: each of these bugs the histories must find.


@pytest.mark.once
@pytest.mark.parametrize(("bug", "noun"), BUGS, ids=lambda each: each.__name__)
def test_histories_find_a_planted_bug(bug, noun, monkeypatch):
    bug(monkeypatch)

    with pytest.raises(AssertionError):
        run(200, of=noun, phases=[Phase.generate])
