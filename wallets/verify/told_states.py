"""Gifts, requests and standing orders are in the state that the audit trail last tells."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import key, rows

# What each is called, its table, its acts, the first of them, and in which states that one may be the last: what was
# paid or claimed has its transfer or journal for that, and what ran out its hour.
_KINDS: Final = (
    ("gift", "wallets_gift", "gift", "made", ("open", "claimed")),
    ("request", "wallets_moneyrequest", "request", "asked", ("open", "paid", "expired")),
    ("standing order", "wallets_standingorder", "standing_order", "made", ("active",)),
)
_APART: Final = """
SELECT x.public_id, x.state, e.act FROM {table} x
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id FROM core_auditentry WHERE act LIKE '{act}.%' GROUP BY subject
) t ON t.subject = '{label}:' || x.id
LEFT JOIN core_auditentry e ON e.id = t.last_id
WHERE e.id IS NULL OR NOT (e.act = '{act}.' || x.state OR (e.act = '{act}.{first}' AND x.state IN ('{begins}')))
ORDER BY x.id
"""
_TOO_EARLY: Final = """
SELECT public_id FROM wallets_moneyrequest WHERE state = 'expired' AND (ended_at IS NULL OR ended_at < expires_at)
"""


@check(
    "wallets.states_are_told",
    "Each gift, request and standing order is in the state that the audit trail last tells; no request ends too soon.",
)
def states_are_told(run: Run) -> Iterator[Fault]:
    for name, table, act, first, begins in _KINDS:
        label = table.replace("_", ".", 1)
        for public_id, state, told in rows(
            _APART.format(table=table, act=act, label=label, first=first, begins="', '".join(begins))
        ):
            yield f"{name} {key(public_id)}", f"it is {state}; last told: {told or 'nothing'}"
        run.seen[f"{name}s"] = rows(f"SELECT COUNT(*) FROM {table}")[0][0]  # noqa: S608  our own tables
    for (public_id,) in rows(_TOO_EARLY):
        yield f"request {key(public_id)}", "it ran out before its time was over"
