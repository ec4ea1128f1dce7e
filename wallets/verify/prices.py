"""Orders and exchanges against the limits and prices that they took, and prices against their months."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.models import FeeUse
from wallets.verify import moves
from wallets.verify.reading import filled, key, rows
from wallets.verify.taken import ORDER_KINDS

# Whether it counts still, and what it cost, is asked elsewhere.
_ORDERS: Final = """
SELECT o.public_id FROM {table} o
LEFT JOIN members_limituse u ON u.source = '{name}:' || {uuid:o.public_id}
LEFT JOIN wallets_feeuse f ON f.source = '{name}:' || {uuid:o.public_id}
WHERE u.id IS NULL OR f.id IS NULL OR u.member_id <> o.member_id OR u.kind <> '{name}' OR u.currency <> o.currency
    OR u.amount_minor <> o.amount_minor OR u.at <> o.created_at OR f.at <> o.created_at
ORDER BY o.id
"""
# Booked, and more than was asked for, or something else.
_OTHERWISE: Final = (
    "o.moved_minor IS NOT NULL AND o.journal_id IS NOT NULL"
    " AND (o.moved_currency <> o.currency OR o.moved_minor > o.amount_minor)"
)
_MOVED: Final = """
SELECT o.public_id FROM {table} o
LEFT JOIN members_limituse u ON u.source = '{name}:' || {uuid:o.public_id} || ':moved'
WHERE {otherwise} AND (u.id IS NULL OR NOT u.told OR u.member_id <> o.member_id OR u.kind <> '{name}'
    OR u.currency <> o.moved_currency OR u.amount_minor <>
        CASE WHEN o.moved_currency = o.currency THEN o.moved_minor - o.amount_minor ELSE o.moved_minor END)
ORDER BY o.id
"""
_MOVED_OF_NOTHING: Final = """
SELECT u.source FROM members_limituse u
LEFT JOIN {table} o ON u.source = '{name}:' || {uuid:o.public_id} || ':moved' AND {otherwise}
WHERE u.source LIKE '{name}:%:moved' AND o.id IS NULL ORDER BY u.id
"""
_EXCHANGES: Final = """
SELECT q.id FROM wallets_exchange e JOIN wallets_exchangequote q ON q.id = e.quote_id
LEFT JOIN wallets_feeuse f ON f.source = 'exchange:' || {uuid:q.public_id}
WHERE f.id IS NULL OR f.member_id <> e.member_id OR f.kind <> 'exchange' OR f.currency <> q.sold_unit
    OR f.amount_minor <> q.sold_minor OR f.fee_minor <> q.fee_minor OR f.at <> q.quoted_at
    OR f.given_back_at IS NOT NULL
ORDER BY q.id
"""
_OF_NO_EXCHANGE: Final = """
SELECT f.source FROM wallets_feeuse f LEFT JOIN wallets_exchangequote q ON f.source = 'exchange:' || {uuid:q.public_id}
LEFT JOIN wallets_exchange e ON e.quote_id = q.id
WHERE f.source LIKE 'exchange:%' AND e.quote_id IS NULL ORDER BY f.id
"""


@check(
    "wallets.orders_took_limits",
    "Each top-up and withdrawal took limits, as much as it is, and these and its price at the moment when it began.",
)
def orders_took_limits(_: Run) -> Iterator[Fault]:
    for name, table in ORDER_KINDS:
        for (public_id,) in rows(filled(_ORDERS, name=name, table=table)):
            yield f"{name} {key(public_id)}", "what it took of limits, or when it was charged, is not what it should be"


@check(
    "wallets.moved_otherwise_counts",
    "What moved beyond what an order asked for, or in another currency, took of the limits, and nothing else did.",
)
def moved_otherwise_counts(_: Run) -> Iterator[Fault]:
    for name, table in ORDER_KINDS:
        for (public_id,) in rows(filled(_MOVED, name=name, table=table, otherwise=_OTHERWISE)):
            yield f"{name} {key(public_id)}", "what moved otherwise than asked for is not what it took of limits"
        for (source,) in rows(filled(_MOVED_OF_NOTHING, name=name, table=table, otherwise=_OTHERWISE)):
            yield source, "took of limits, and nothing moved otherwise"


@check("wallets.exchange_is_its_price", "Each exchange was charged what it was quoted, when it was, and no other was.")
def exchange_is_its_price(_: Run) -> Iterator[Fault]:
    for (quote,) in rows(_EXCHANGES):
        yield f"exchange {quote}", "the price that was taken for it is not the one that was quoted"
    for (source,) in rows(_OF_NO_EXCHANGE):
        yield source, "was charged, and is not there"


@check(
    "wallets.price_is_of_its_month",
    "Each price counts in the month in which it was taken, where its member lives or lived.",
    whole=True,
)
def price_is_of_its_month(run: Run) -> Iterator[Fault]:
    for use in FeeUse.objects.select_related("member").order_by("pk").iterator(chunk_size=2_000):
        if f"{use.member.local(use.at):%Y-%m}" == use.month:
            continue
        if use.month not in {f"{use.at.astimezone(zone):%Y-%m}" for zone in moves.zones(run, use.member)}:
            yield f"fee taken {use.pk}", f"counts in {use.month}, and was taken at {use.at}"
