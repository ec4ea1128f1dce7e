"""What the ledger does by itself, and when."""

from datetime import datetime, timedelta

from paymentsite.core import clock
from paymentsite.core.jobs import job
from paymentsite.ledger.models import Unsealed
from paymentsite.ledger.services import seals, timers


@job("ledger.close_blocks", every=timedelta(seconds=2), stops=False, where=Unsealed.objects.all)
def close_blocks(*, now: datetime) -> str:  # noqa: ARG001  all that is written by now
    blocks = seals.close_blocks()
    return f"{len(blocks)} blocks, {sum(block.journals for block in blocks)} journals"


@job("ledger.expire_holds", due=timers.next_expiry)
def expire_holds(*, now: datetime) -> str:
    return f"{timers.expire_holds(now=now)} holds"


@job("ledger.lapse_lots", daily="00:00")
def lapse_lots(*, now: datetime) -> str:
    return f"{timers.lapse_lots(today=clock.day_of(now))} accounts"


@job("ledger.take_snapshot", daily="00:00")
def take_snapshot(*, now: datetime) -> str:  # noqa: ARG001  what is on the accounts by now
    block = seals.take_snapshot()
    return "nothing to keep yet" if block is None else f"at block {block.height}"
