"""The block closer, in a process of its own as in production."""

import time

from paymentsite.ledger import services as ledger

_EVERY_SECONDS = 2.0


def close_until(*, start: float, seconds: float) -> int:
    """Close blocks at ``start`` and every two seconds, as the site's schedule does, for so long; how many journals."""
    at, sealed = start, 0
    while at < start + seconds:
        time.sleep(max(0.0, at - time.monotonic()))
        sealed += sum(block.journals for block in ledger.close_blocks())
        at = max(at + _EVERY_SECONDS, time.monotonic())
    return sealed


def close() -> tuple[int, float]:
    """Seal all that waits: how many journals, and in how many seconds."""
    began = time.monotonic()
    sealed = sum(block.journals for block in ledger.close_blocks())
    return sealed, time.monotonic() - began
