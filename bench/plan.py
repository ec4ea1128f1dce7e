"""How long and how large a run is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    rounds: int
    lap_seconds: float
    accounts: int
    scale: int  # of pgbench's tables: 100,000 accounts each
    batch_rows: int  # how many drafts each batch size gets in a round
    small: int
    large: int
    reads: int
    tail: int  # how many postings of each account wait to be sealed while it is read
    warm_seconds: float


CLIENTS: Final = (1, 4, 8)
BATCHES: Final = (100, 1_000, 10_000)

FULL: Final = Plan(
    "full",
    rounds=5,
    lap_seconds=4,
    accounts=10_000,
    scale=20,
    batch_rows=20_000,
    small=10_000,
    large=1_000_000,
    reads=200,
    tail=100,
    warm_seconds=2,
)
QUICK: Final = Plan(
    "quick",
    rounds=1,
    lap_seconds=0.5,
    accounts=500,
    scale=4,
    batch_rows=10_000,
    small=500,
    large=10_000,
    reads=20,
    tail=100,
    warm_seconds=0.2,
)
