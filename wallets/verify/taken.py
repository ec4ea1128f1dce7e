"""Transfers and gifts against the limits and prices that they took."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import key, rows

# What each is called, its table, and while which of it counts.
_KINDS: Final = (
    ("transfer", "wallets_transfer", "1 = 1"),
    ("gift", "wallets_gift", "x.state IN ('open', 'claimed')"),
)
_APART: Final = """
SELECT x.public_id FROM {table} x
LEFT JOIN members_limituse u ON u.source = '{name}:' || {uuid:x.public_id}
LEFT JOIN wallets_feeuse f ON f.source = '{name}:' || {uuid:x.public_id}
WHERE u.id IS NULL OR f.id IS NULL OR u.member_id <> x.sender_id OR f.member_id <> x.sender_id
    OR u.currency <> x.currency OR f.currency <> x.currency OR u.amount_minor <> x.amount_minor
    OR f.amount_minor <> x.amount_minor OR f.fee_minor <> x.fee_minor
    OR (u.given_back_at IS NULL) <> ({counts}) OR (f.given_back_at IS NULL) <> ({counts})
ORDER BY x.id
"""
_OF_NOTHING: Final = """
SELECT u.source FROM members_limituse u LEFT JOIN {table} x ON u.source = '{name}:' || {uuid:x.public_id}
WHERE u.source LIKE '{name}:%' AND x.id IS NULL ORDER BY u.id
"""


@check(
    "wallets.limits_and_prices_taken",
    "Each transfer and gift took limits and a price, as much as it is, and got them back only where it came back.",
)
def limits_and_prices_taken(_: Run) -> Iterator[Fault]:
    for name, table, counts in _KINDS:
        for (public_id,) in rows(_filled(_APART, name=name, table=table, counts=counts)):
            yield f"{name} {key(public_id)}", "what it took of limits, or what it was charged, is not what it should be"
        for (source,) in rows(_filled(_OF_NOTHING, name=name, table=table)):
            yield source, "took of limits, and is not there"


def _filled(question: str, **values: str) -> str:
    for name, value in values.items():
        question = question.replace(f"{{{name}}}", value)
    return question
