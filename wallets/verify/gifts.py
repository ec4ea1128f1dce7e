"""Gifts, what is held for them, and who had it."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import key, rows

# What came back for a sender who had left was taken into suspense.
_IN_SUSPENSE: Final = """
SELECT DISTINCT e.hold_id FROM ledger_journal j
JOIN ledger_holdevent e ON e.journal_id = j.id
JOIN ledger_posting p ON p.journal_id = j.id
JOIN ledger_account s ON s.id = p.target_id AND s.owner = 'house:paymentsite' AND s.code = 'suspense'
WHERE j.scope = 'wallets.gift_return' AND j.refusal IS NULL
"""

_HELD: Final = f"""
SELECT g.public_id, g.state,
    CASE
        WHEN h.id IS NULL OR w.id IS NULL THEN 'nothing is held for it on a wallet of its sender'
        WHEN h.authorised_minor <> g.amount_minor + g.fee_minor OR h.unit <> g.currency
            THEN 'another amount is held for it'
        ELSE 'what is held for it is ' || h.state
    END
FROM wallets_gift g
LEFT JOIN ledger_hold h ON h.id = g.hold_id
LEFT JOIN wallets_wallet w ON w.account_id = h.account_id AND w.member_id = g.sender_id
LEFT JOIN ({_IN_SUSPENSE}) r ON r.hold_id = g.hold_id
WHERE h.id IS NULL OR w.id IS NULL OR h.authorised_minor <> g.amount_minor + g.fee_minor OR h.unit <> g.currency
    OR h.state <> CASE WHEN g.state = 'open' THEN 'open'
        WHEN g.state = 'claimed' OR r.hold_id IS NOT NULL THEN 'captured' ELSE 'released' END
    OR h.captured_minor <> CASE
        WHEN g.state = 'claimed' OR r.hold_id IS NOT NULL THEN g.amount_minor + g.fee_minor ELSE 0 END
ORDER BY g.id
"""  # noqa: S608  our own text

_CLAIMED: Final = """
SELECT g.public_id FROM wallets_gift g
LEFT JOIN ledger_journal j ON j.id = g.journal_id AND j.refusal IS NULL AND j.scope = 'wallets.gift_claim'
LEFT JOIN ledger_posting p ON p.journal_id = j.id AND p.position = 1
LEFT JOIN ledger_hold h ON h.id = g.hold_id
LEFT JOIN wallets_wallet w ON w.account_id = p.target_id AND w.member_id = g.claimed_by_id
WHERE g.state = 'claimed' AND (
    j.id IS NULL OR p.id IS NULL OR w.id IS NULL OR p.amount_minor <> g.amount_minor OR p.source_id <> h.account_id)
ORDER BY g.id
"""

_UNGIVEN: Final = """
SELECT e.hold_id FROM ledger_journal j JOIN ledger_holdevent e ON e.journal_id = j.id
LEFT JOIN wallets_gift g ON g.hold_id = e.hold_id
WHERE j.scope = 'wallets.gift' AND g.id IS NULL ORDER BY e.hold_id
"""


@check(
    "wallets.gift_is_held", "For each open gift its amount and fee are held; claimed it was taken whole, else released."
)
def gift_is_held(run: Run) -> Iterator[Fault]:
    for gift, state, what in rows(_HELD):
        yield f"gift {key(gift)}", f"it is {state}; {what}"
    run.seen["gifts"] = rows("SELECT COUNT(*) FROM wallets_gift")[0][0]


@check("wallets.gift_went_to_claimant", "Each claimed gift went to a wallet of who claimed it, whole, in one journal.")
def gift_went_to_claimant(_: Run) -> Iterator[Fault]:
    for (gift,) in rows(_CLAIMED):
        yield f"gift {key(gift)}", "its journal is none that gave it to who claimed it"


@check("wallets.held_for_a_gift", "Nothing is held for gifts that do not exist.")
def held_for_a_gift(_: Run) -> Iterator[Fault]:
    for (hold,) in rows(_UNGIVEN):
        yield f"hold {key(hold)}", "it was placed for a gift that does not exist"
