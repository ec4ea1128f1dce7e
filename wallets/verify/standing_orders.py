"""Standing orders and their due days."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets import calendar
from wallets.models import StandingRun
from wallets.verify.reading import key, rows

_COUNTED: Final = """
SELECT o.public_id, o.runs_done, COALESCE(r.ended, 0), COALESCE(r.waiting, 0), o.state
FROM wallets_standingorder o LEFT JOIN (
    SELECT order_id, SUM(CASE WHEN state <> 'waiting' THEN 1 ELSE 0 END) AS ended,
        SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END) AS waiting
    FROM wallets_standingrun GROUP BY order_id
) AS r ON r.order_id = o.id
WHERE o.runs_done <> COALESCE(r.ended, 0) OR COALESCE(r.waiting, 0) > CASE WHEN o.state = 'active' THEN 1 ELSE 0 END
ORDER BY o.id
"""
_BEHIND: Final = """
SELECT o.public_id, MAX(r.due_on) FROM wallets_standingorder o JOIN wallets_standingrun r ON r.order_id = o.id
WHERE r.state <> 'waiting' AND o.state = 'active' GROUP BY o.public_id, o.next_on HAVING MAX(r.due_on) >= o.next_on
"""
_PAID: Final = """
SELECT r.public_id, t.occasion FROM wallets_standingrun r JOIN wallets_standingorder o ON o.id = r.order_id
LEFT JOIN wallets_transfer t ON t.id = r.transfer_id
WHERE r.state = 'paid' AND (
    t.id IS NULL OR t.sender_id <> o.member_id OR t.receiver_id <> o.payee_id OR t.amount_minor <> o.amount_minor
    OR t.currency <> o.currency OR t.occasion <> 'standing_run:' || {uuid:r.public_id})
ORDER BY r.id
"""
_OCCASIONS: Final = """
SELECT t.public_id, t.occasion FROM wallets_transfer t LEFT JOIN wallets_standingrun r ON r.transfer_id = t.id
WHERE t.occasion LIKE 'standing_run:%' AND r.id IS NULL ORDER BY t.id
"""


@check("wallets.order_counts_its_days", "Each standing order counts its due days, and none comes after the next one.")
def order_counts_its_days(_: Run) -> Iterator[Fault]:
    for order, counted, ended, waiting, state in rows(_COUNTED):
        yield f"standing order {key(order)}", f"{state}, it counts {counted} due days: {ended} are over, {waiting} wait"
    for order, last in rows(_BEHIND):
        yield f"standing order {key(order)}", f"its due day {last} is over, and it is yet to come"


@check("wallets.run_is_due", "What a standing order did, it did on days of its own.")
def run_is_due(run: Run) -> Iterator[Fault]:
    done = StandingRun.objects.select_related("order").order_by("pk")
    seen = 0
    for each in done.iterator(chunk_size=1_000):
        seen += 1
        if not _is_due(each.order.starts_on, each.order.every, each.due_on) or (
            each.order.ends_on and each.due_on > each.order.ends_on
        ):
            yield f"standing run {each.public_id}", f"{each.due_on} is no due day of its order"
    run.seen["due days of standing orders"] = seen


def _is_due(start: date, every: str, day: date) -> bool:
    return calendar.first_after(start, every, date.fromordinal(day.toordinal() - 1)) == day


@check("wallets.run_is_its_transfer", "Each due day that was paid has its transfer, as ordered, and no other has one.")
def run_is_its_transfer(_: Run) -> Iterator[Fault]:
    for run, occasion in rows(_PAID):
        yield f"standing run {key(run)}", f"what it sent, for {occasion or 'nothing'}, is not what was ordered"
    for transfer, occasion in rows(_OCCASIONS):
        yield f"transfer {key(transfer)}", f"was for {occasion}, which knows nothing of it"
