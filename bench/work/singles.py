"""One transfer after another, each in its own transaction."""

import random
import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from bench.work.books import CENT, merchant, wallets
from bench.work.references import references
from paymentsite.ledger import services as ledger

Act = Callable[[], object]


def lap(*, what: str, seed: int, start: float, seconds: float) -> tuple[float, float]:
    """Do ``what`` over and over from ``start`` on, by the clock that all processes share.

    How many a second, and how many microseconds of processor time each cost here.
    """
    act = _act(what, seed)
    time.sleep(max(0.0, start - time.monotonic()))
    began, cpu, end, count = time.monotonic(), time.process_time(), start + seconds, 0
    while True:
        act()
        count += 1
        now = time.monotonic()
        if now >= end:
            return count / (now - began), (time.process_time() - cpu) / count * 1e6


@lru_cache(maxsize=8)
def _act(what: str, seed: int) -> Act:
    return _MAKERS[what](seed)


def _uniform(seed: int) -> Act:
    accounts, chance, reference = wallets(), random.Random(seed), references()

    def act() -> object:
        source, target = chance.sample(accounts, 2)
        return ledger.post(ledger.Move(CENT, source, target), reference=next(reference), scope="bench")

    return act


def _hot(seed: int) -> Act:
    accounts, target, chance, reference = wallets(), merchant(), random.Random(seed), references()

    def act() -> object:
        source = chance.choice(accounts)
        return ledger.post(ledger.Move(CENT, source, target), reference=next(reference), scope="bench")

    return act


def _peer(name: str) -> Callable[[int], Act]:
    def maker(seed: int) -> Act:
        # A peer's models exist only where its app is installed.
        peer: Any = import_module(f"bench.peers.{name}")
        act: Act = peer.transfers(seed)
        return act

    return maker


_MAKERS: Final[dict[str, Callable[[int], Act]]] = {
    "uniform": _uniform,
    "hot": _hot,
    "orm": _peer("orm"),
    "hordak": _peer("hordak"),
}
