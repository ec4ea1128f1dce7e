"""Every outcome, cut off at every commit and call, told in any order and number: the money is right, the end final."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from paymentsite.core import clock, verification
from paymentsite.core.ids import EPOCH
from tests.examples import some
from tests.terms import told
from tests.wallets.crashing import Fate
from tests.wallets.gateways import CURRENCY, route
from tests.wallets.order_histories import FEES, KINDS, History, random_history
from wallets.gateways.scripts import OUTCOMES
from wallets.models import FeeRule, OrderEvent

pytestmark = pytest.mark.django_db(transaction=True)

ENDINGS = [0, *OUTCOMES]


@pytest.fixture(autouse=True)
def mortal(tmp_path: Path) -> Iterator[None]:
    made = {
        "adapter": "tests.wallets.crashing.Mortal",
        "path": str(tmp_path / "gateway.sqlite3"),
        "key": "of the sandbox",
        "slow_seconds": 0,
    }
    with override_settings(GATEWAYS={"sandbox": made}):
        route("top_up")
        route("payout")
        for kind, fixed in FEES.items():
            told(
                FeeRule.objects.create(
                    kind=kind, currency=CURRENCY, fixed_minor=fixed, starts_at=EPOCH, set_by="test:1"
                )
            )
        yield


def live(history: History) -> str:
    began = clock.now()
    history.live(began)
    with clock.standing(began.replace(year=began.year + 1)):
        return history.check()


def findings() -> list[str]:
    return [f"{each.check} {each.subject}: {each.detail}" for each in verification.discover().run().findings]


def run_seeds(seeds: range, one: Callable[[int], History] = random_history) -> int:
    """How many deaths they died; every history ends as its gateway knows, and all books are clean."""
    died = 0
    for seed in seeds:
        history = one(seed)
        assert not (wrong := live(history)), f"seed {seed}: {wrong}"
        died += history.fate.died
    assert findings() == []
    return died


def cut_everywhere(kind: str, ending: int, lived: type[History] = History) -> int:
    """Live it once unharmed, then again and again, each time dying at another commit or call; how often it died."""
    unharmed = lived(kind, ending)
    assert live(unharmed) == ""
    died = 0
    for what, times in unharmed.fate.counted.items():
        for number in range(1, times + 1):
            for side in ("before", "after"):
                history = lived(kind, ending, fate=Fate((what, number, side)), retries=2)
                assert not (wrong := live(history)), f"{what} {number} {side}: {wrong}"
                died += history.fate.died
    assert findings() == []
    return died


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [7, 18])
def test_order_cut_off_anywhere_ends_as_its_gateway_knows(kind, ending):
    assert cut_everywhere(kind, ending) >= 10


@pytest.mark.once
@pytest.mark.parametrize("ending", [19, 21])
def test_top_up_returned_in_part_or_refunded_in_vain_or_never_opened_ends_as_its_gateway_knows(ending):
    assert cut_everywhere("top_up", ending) >= 10


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_outcome_cut_off_anywhere_ends_as_its_gateway_knows(kind, ending):
    assert cut_everywhere(kind, ending) >= 6


def test_sixty_messy_histories_end_as_their_gateway_knows():
    assert run_seeds(range(some(60))) >= some(60)
    assert OrderEvent.objects.exists()


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(10))
def test_thousand_messy_histories_end_as_their_gateway_knows(chunk):
    first = 60 + 100 * chunk
    assert run_seeds(range(first, first + 100)) >= 100
