"""Transfers and gifts against the limits and prices that they took."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import filled, key, rows

# What each is called, its table, and while which of it counts.
_KINDS: Final = (
    ("transfer", "wallets_transfer", "1 = 1"),
    ("gift", "wallets_gift", "x.state IN ('open', 'claimed')"),
)
ORDER_KINDS: Final = (("top_up", "wallets_topup"), ("withdrawal", "wallets_withdrawal"))
_APART: Final = """
SELECT x.public_id FROM {table} x
LEFT JOIN members_limituse u ON u.source = '{name}:' || {uuid:x.public_id}
LEFT JOIN wallets_feeuse f ON f.source = '{name}:' || {uuid:x.public_id}
WHERE u.id IS NULL OR f.id IS NULL OR u.member_id <> x.sender_id OR f.member_id <> x.sender_id
    OR u.kind <> 'transfer' OR f.kind <> 'transfer' OR u.at <> f.at
    OR u.currency <> x.currency OR f.currency <> x.currency OR u.amount_minor <> x.amount_minor
    OR f.amount_minor <> x.amount_minor OR f.fee_minor <> x.fee_minor
    OR (u.given_back_at IS NULL) <> ({counts}) OR (f.given_back_at IS NULL) <> ({counts})
ORDER BY x.id
"""
_OF_NOTHING: Final = """
SELECT u.source FROM {uses} u LEFT JOIN {table} x ON u.source = '{name}:' || {uuid:x.public_id}
WHERE u.source LIKE '{name}:%' AND u.source NOT LIKE '%:moved' AND x.id IS NULL ORDER BY u.id
"""


@check(
    "wallets.limits_and_prices_taken",
    "Each transfer and gift took limits and a price, as much as it is, and got them back only where it came back.",
)
def limits_and_prices_taken(_: Run) -> Iterator[Fault]:
    for name, table, counts in _KINDS:
        for (public_id,) in rows(filled(_APART, name=name, table=table, counts=counts)):
            yield f"{name} {key(public_id)}", "what it took of limits, or what it was charged, is not what it should be"
    for name, table in (*((name, table) for name, table, _ in _KINDS), *ORDER_KINDS):
        for uses, what in (("members_limituse", "took of limits"), ("wallets_feeuse", "was charged")):
            for (source,) in rows(filled(_OF_NOTHING, name=name, table=table, uses=uses)):
                yield source, f"{what}, and is not there"
