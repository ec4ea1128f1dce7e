"""Orders against the books: whose wallet it is, and what it took, cost and gave back, is what was asked for and posted.

An order's row says what comes back of it, and to whom: what it says must be what its journals did.
"""

from collections.abc import Iterator
from typing import Any, Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.services.accounts import HOUSE
from wallets.models import TopUp, Withdrawal
from wallets.services import fees
from wallets.verify.reading import key, rows

_KINDS: Final = (TopUp, Withdrawal)

_MEMBERS: Final = """
SELECT o.public_id FROM {table} o LEFT JOIN wallets_wallet w ON w.id = o.wallet_id
WHERE w.id IS NULL OR w.member_id <> o.member_id OR w.currency <> o.currency ORDER BY o.id
"""
_PROVEN: Final = """
SELECT o.public_id FROM wallets_proofdeposit o
LEFT JOIN wallets_accountproof p ON p.id = o.proof_id LEFT JOIN wallets_instrument i ON i.id = p.account_id
WHERE i.id IS NULL OR i.member_id <> o.member_id ORDER BY o.id
"""

# A fee is taken or it is given back: what came or went after it had failed, or not onto the wallet, costs nothing.
_PRICE: Final = """
SELECT o.public_id, CASE
        WHEN u.id IS NULL THEN 'no price was taken for it'
        WHEN u.member_id <> o.member_id OR u.kind <> '{noun}' OR u.currency <> o.currency
            OR u.amount_minor <> o.amount_minor THEN 'the price was taken for something else'
        WHEN u.fee_minor = o.fee_minor THEN 'it kept its fee, and the price is given back'
        ELSE 'it says another fee than the price that was taken'
    END
FROM {table} o LEFT JOIN wallets_feeuse u ON u.source = '{noun}:' || {{uuid:o.public_id}}
WHERE u.id IS NULL OR u.member_id <> o.member_id OR u.kind <> '{noun}' OR u.currency <> o.currency
    OR u.amount_minor <> o.amount_minor
    OR (o.fee_minor <> u.fee_minor
        AND (o.journal_id IS NULL OR o.fee_minor <> 0 OR u.given_back_at IS NULL))
    OR (o.state = 'succeeded' AND o.fee_minor > 0 AND u.given_back_at IS NOT NULL)
ORDER BY o.id
"""

# The price, and not the order's own fee: what was paid after it had failed says none, and had one on hold.
_HOLD: Final = """
SELECT o.public_id, CASE
        WHEN h.account_id <> w.account_id THEN 'its hold is on another account than its wallet''s'
        WHEN h.authorised_minor <> o.amount_minor + COALESCE(u.fee_minor, o.fee_minor)
            THEN 'its hold is not its amount and fee'
        ELSE 'its hold was placed for something else'
    END
FROM wallets_withdrawal o JOIN wallets_wallet w ON w.id = o.wallet_id JOIN ledger_hold h ON h.id = o.hold_id
LEFT JOIN wallets_feeuse u ON u.source = 'withdrawal:' || {uuid:o.public_id}
WHERE h.account_id <> w.account_id OR h.authorised_minor <> o.amount_minor + COALESCE(u.fee_minor, o.fee_minor)
    OR NOT EXISTS (
        SELECT 1 FROM ledger_holdevent e JOIN ledger_journal j ON j.id = e.journal_id
        WHERE e.hold_id = o.hold_id AND e.kind = 'placed' AND j.source = 'withdrawal:' || {uuid:o.public_id}
    )
ORDER BY o.id
"""

# What a journal of an order put on its wallet (or took: below zero) and on our account for fees, and how many of its
# postings have an end that is none of an order's accounts. A top-up in another currency than asked for is on the
# member's wallet in that one.
_LEGS: Final = """
SELECT o.id, o.public_id, o.amount_minor, o.fee_minor, o.booked_to,
    COALESCE(o.moved_minor, o.amount_minor) AS moved,
    CASE WHEN o.moved_currency IN ('', o.currency) THEN 1 ELSE 0 END AS alike,
    COALESCE(SUM(CASE WHEN tw.id IS NOT NULL THEN p.amount_minor ELSE 0 END)
        - SUM(CASE WHEN sw.id IS NOT NULL THEN p.amount_minor ELSE 0 END), 0) AS on_wallet,
    COALESCE(SUM(CASE WHEN t.owner = '{house}' AND t.code = '{fees}' THEN p.amount_minor ELSE 0 END)
        - SUM(CASE WHEN s.owner = '{house}' AND s.code = '{fees}' THEN p.amount_minor ELSE 0 END), 0) AS on_fees,
    SUM(CASE WHEN p.id IS NULL THEN 0 WHEN ({own_source}) AND ({own_target}) THEN 0 ELSE 1 END) AS elsewhere
FROM {table} o
LEFT JOIN ledger_posting p ON p.journal_id = o.{column}
LEFT JOIN ledger_account s ON s.id = p.source_id
LEFT JOIN ledger_account t ON t.id = p.target_id
LEFT JOIN wallets_wallet sw ON sw.account_id = p.source_id AND ({source_wallet})
LEFT JOIN wallets_wallet tw ON tw.account_id = p.target_id AND ({target_wallet})
WHERE o.{column} IS NOT NULL
GROUP BY o.id
"""
_OWN: Final = """{side}w.id IS NOT NULL OR ({side}.owner = '{house}' AND {side}.code IN ('{fees}', 'suspense'))
    OR ({side}.owner = 'gateway:' || o.gateway AND {side}.code = 'clearing')"""
_WALLET: Final = {
    TopUp: """({side}w.id = o.wallet_id AND o.moved_currency IN ('', o.currency))
        OR ({side}w.member_id = o.member_id AND {side}w.currency = o.moved_currency
            AND o.moved_currency <> o.currency)""",
    Withdrawal: "{side}w.id = o.wallet_id",
}

_BOOKED: Final = """
SELECT public_id, wanted, on_wallet, fee_minor, on_fees, elsewhere FROM (
    SELECT legs.*, CASE WHEN booked_to = 'wallet' THEN {wanted} ELSE 0 END AS wanted FROM ({legs}) AS legs
) AS booked WHERE {wrong} ORDER BY id
"""

_WANTED: Final = {
    TopUp: "moved - fee_minor",
    # Of what left in the order's currency no more than it asked for is the wallet's, and all of it in another one.
    Withdrawal: "-(CASE WHEN alike = 1 AND moved < amount_minor THEN moved ELSE amount_minor END + fee_minor)",
}

# Beside what the first journal did. What cannot be on the wallet goes to suspense, and that only as a whole.
_BACK: Final = """
SELECT back.public_id, back.on_wallet, first.on_wallet, back.on_fees, first.on_fees, back.elsewhere
FROM ({back}) AS back JOIN ({first}) AS first ON first.id = back.id
WHERE back.elsewhere > 0 OR {wrong} ORDER BY back.id
"""

_UNLIKE: Final = {
    TopUp: "back.on_wallet <> 0 OR back.on_fees <> 0",
    Withdrawal: """(back.on_wallet <> 0
        AND (back.on_wallet <> -first.on_wallet OR back.booked_to <> 'wallet' OR back.alike = 0))
    OR back.on_fees <> CASE WHEN back.booked_to = 'wallet' AND back.alike = 1 THEN -first.on_fees ELSE 0 END""",
}


def _legs(kind: type[TopUp | Withdrawal], column: str) -> str:
    ours = {"house": HOUSE, "fees": fees.HOUSE}
    return _LEGS.format(
        **ours,
        table=kind._meta.db_table,
        column=column,
        own_source=_OWN.format(**ours, side="s"),
        own_target=_OWN.format(**ours, side="t"),
        source_wallet=_WALLET[kind].format(side="s"),
        target_wallet=_WALLET[kind].format(side="t"),
    )


def _booked(kind: type[TopUp | Withdrawal], wrong: str) -> list[tuple[Any, ...]]:
    return rows(_BOOKED.format(legs=_legs(kind, "journal_id"), wanted=_WANTED[kind], wrong=wrong))


@check("wallets.order_is_its_members", "An order's wallet, or the account that it proves, is its member's.")
def order_is_its_members(_: Run) -> Iterator[Fault]:
    for kind in _KINDS:
        for (order,) in rows(_MEMBERS.format(table=kind._meta.db_table)):
            yield f"{kind.noun} {key(order)}", "its wallet is not its member's in its currency"
    for (order,) in rows(_PROVEN):
        yield f"proof_deposit {key(order)}", "the account that it proves is not its member's"


@check("wallets.order_is_its_price", "An order's fee is the price taken for it, or none where that is given back.")
def order_is_its_price(_: Run) -> Iterator[Fault]:
    for kind in _KINDS:
        for order, what in rows(_PRICE.format(table=kind._meta.db_table, noun=kind.noun)):
            yield f"{kind.noun} {key(order)}", what


@check("wallets.withdrawal_is_its_hold", "What a withdrawal had on hold was its amount and fee, on its own wallet.")
def withdrawal_is_its_hold(_: Run) -> Iterator[Fault]:
    for order, what in rows(_HOLD):
        yield f"withdrawal {key(order)}", what


@check(
    "wallets.order_moved_wallet",
    "An order's journal puts on its own wallet, or takes from it, what the order says, and touches no other.",
    whole=True,
)
def order_moved_wallet(_: Run) -> Iterator[Fault]:
    for kind in _KINDS:
        for order, wanted, moved, _fee, _on_fees, elsewhere in _booked(kind, "on_wallet <> wanted OR elsewhere > 0"):
            what = f"its journal changes its wallet by {moved}, it says {wanted}; {elsewhere} postings are elsewhere"
            yield f"{kind.noun} {key(order)}", what


@check("wallets.order_moved_fee", "An order's journal moves to us the fee that it says.", whole=True)
def order_moved_fee(_: Run) -> Iterator[Fault]:
    for kind in _KINDS:
        for order, _wanted, _moved, fee, on_fees, _elsewhere in _booked(kind, "on_fees <> fee_minor"):
            yield f"{kind.noun} {key(order)}", f"its fee is {fee}, and its journal moves {on_fees} to us as one"


@check(
    "wallets.order_came_back_whole",
    "What comes back of a withdrawal is what left, fee and all; of a top-up that is taken back the wallet keeps all.",
    whole=True,
)
def order_came_back_whole(_: Run) -> Iterator[Fault]:
    for kind in _KINDS:
        back, first = _legs(kind, "return_journal_id"), _legs(kind, "journal_id")
        for order, *legs in rows(_BACK.format(back=back, first=first, wrong=_UNLIKE[kind])):
            moved, moved_first, fee, fee_first, elsewhere = legs
            what = f"its first journal changed its wallet by {moved_first} and our fees by {fee_first}, its return by"
            yield f"{kind.noun} {key(order)}", f"{what} {moved} and {fee}; {elsewhere} postings are elsewhere"
