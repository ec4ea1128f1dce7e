"""Fees: one rule of each in force, and every price taken as its steps say."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from django.db import connection
from django.db.models import F

from paymentsite.core.verification import Fault, Run, check
from wallets.models import FeeRule, FeeUse
from wallets.services import fees

_TWICE: Final = "SELECT source, COUNT(*) FROM wallets_feeuse GROUP BY source HAVING COUNT(*) > 1 ORDER BY source"
_FREE_TWICE: Final = """
SELECT member_id, month, free_number FROM wallets_feeuse WHERE free AND given_back_at IS NULL
GROUP BY member_id, month, free_number HAVING COUNT(*) > 1 ORDER BY member_id, month, free_number
"""


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@check("wallets.fee_rules_apart", "Of fee rules that price the same, one is in force at a time.")
def fee_rules_apart(run: Run) -> Iterator[Fault]:
    run.seen["fee rules"] = FeeRule.objects.count()
    rows = FeeRule.objects.exclude(ends_at=F("starts_at")).order_by(*FeeRule.KEY, "starts_at", "pk")
    for _key, same in groupby(rows.iterator(), key=lambda row: [getattr(row, name) for name in FeeRule.KEY]):
        before: FeeRule | None = None
        for rule in same:
            if before is not None and (before.ends_at is None or before.ends_at > rule.starts_at):
                yield f"fee rule {rule.pk}", f"is in force while fee rule {before.pk} is"
            before = rule


@check("wallets.fee_source_once", "No source was charged twice, and none of a month's free ones was used twice.")
def fee_source_once(_: Run) -> Iterator[Fault]:
    for source, count in _rows(_TWICE):
        yield f"source {source}", f"was charged {count} times"
    for member, month, number in _rows(_FREE_TWICE):
        yield f"member {member}", f"used the free one number {number} of {month} twice"


@check(
    "wallets.fee_is_its_steps", "Each price taken is what its steps add up to, and of a top-up no more than came in."
)
def fee_is_its_steps(run: Run) -> Iterator[Fault]:
    run.seen["fees taken"] = FeeUse.objects.count()
    for use in FeeUse.objects.order_by("pk").iterator(chunk_size=2_000):
        total = sum(minor for _name, minor in use.lines)
        if total != use.fee_minor:
            yield f"fee taken {use.pk}", f"is {use.fee_minor}, its steps add up to {total}"
        if use.kind in fees.INSIDE and use.fee_minor > use.amount_minor:
            yield f"fee taken {use.pk}", f"is {use.fee_minor} of {use.amount_minor} that came in"
