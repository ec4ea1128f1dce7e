"""Lots: what expires adds up."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.verify.scope import key, rows, scope

# What a hold set aside of a lot leaves it by being used under that hold, or by being given back.
_SET_ASIDE: Final = """
    CASE WHEN kind = 'held' THEN amount_minor WHEN kind = 'unheld' THEN -amount_minor
        WHEN kind = 'used' AND hold_id IS NOT NULL THEN -amount_minor ELSE 0 END
"""

_USES: Final = f"""
SELECT l.id, l.issued_minor, COALESCE(told.issued, 0), l.used_minor, COALESCE(told.used, 0), l.expired_minor,
    COALESCE(told.expired, 0), l.held_minor, COALESCE(told.held, 0)
FROM ledger_lot l
LEFT JOIN (
    SELECT lot_id, SUM(CASE WHEN kind = 'issued' THEN amount_minor ELSE 0 END) AS issued,
        SUM(CASE WHEN kind IN ('used', 'withdrawn') THEN amount_minor WHEN kind = 'returned' THEN -amount_minor
            ELSE 0 END) AS used,
        SUM(CASE WHEN kind = 'expired' THEN amount_minor ELSE 0 END) AS expired,
        SUM({_SET_ASIDE}) AS held
    FROM ledger_lotuse WHERE lot_id IN (SELECT id FROM ledger_lot WHERE {{of:account_id}}) GROUP BY lot_id
) AS told ON told.lot_id = l.id
WHERE {{of:l.account_id}}
    AND (l.issued_minor <> COALESCE(told.issued, 0) OR l.used_minor <> COALESCE(told.used, 0)
        OR l.expired_minor <> COALESCE(told.expired, 0) OR l.held_minor <> COALESCE(told.held, 0))
ORDER BY l.id
"""

_OVERSPENT: Final = """
SELECT id, issued_minor, used_minor, expired_minor, held_minor FROM ledger_lot
WHERE {of:account_id} AND (issued_minor < used_minor + expired_minor + held_minor
    OR used_minor < 0 OR expired_minor < 0 OR held_minor < 0)
ORDER BY id
"""

_ACCOUNTS: Final = """
SELECT b.account_id, b.posted_minor, COALESCE(l.total, 0), b.held_minor, COALESCE(l.held, 0), a.lots
FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
LEFT JOIN (
    SELECT account_id, SUM(issued_minor - used_minor - expired_minor) AS total, SUM(held_minor) AS held
    FROM ledger_lot WHERE {of:account_id} GROUP BY account_id
) AS l ON l.account_id = b.account_id
WHERE {of:b.account_id} AND (a.lots OR l.account_id IS NOT NULL)
    AND (NOT a.lots OR b.posted_minor <> COALESCE(l.total, 0) OR b.held_minor <> COALESCE(l.held, 0))
ORDER BY b.account_id
"""

_RESERVES: Final = f"""
SELECT h.id, h.authorised_minor - h.captured_minor - h.released_minor, COALESCE(r.total, 0)
FROM ledger_hold h JOIN ledger_account a ON a.id = h.account_id
LEFT JOIN (
    SELECT hold_id, SUM({_SET_ASIDE}) AS total FROM ledger_lotuse WHERE hold_id IS NOT NULL GROUP BY hold_id
) AS r ON r.hold_id = h.id
WHERE {{of:h.account_id}} AND a.lots
    AND h.authorised_minor - h.captured_minor - h.released_minor <> COALESCE(r.total, 0)
ORDER BY h.id
"""

_MOVED: Final = """
WITH moved AS (
    SELECT u.journal_id, u.position, l.account_id,
        SUM(CASE WHEN u.kind IN ('issued', 'returned') THEN u.amount_minor ELSE 0 END) AS came,
        SUM(CASE WHEN u.kind IN ('used', 'expired', 'withdrawn') THEN u.amount_minor ELSE 0 END) AS went
    FROM ledger_lotuse u JOIN ledger_lot l ON l.id = u.lot_id
    WHERE u.kind NOT IN ('held', 'unheld') AND {of:l.account_id}
    GROUP BY u.journal_id, u.position, l.account_id
)
SELECT p.id, p.amount_minor, COALESCE(m.came, 0), a.id FROM ledger_posting p
JOIN ledger_account a ON a.id = p.target_id AND a.lots
LEFT JOIN moved m ON m.journal_id = p.journal_id AND m.position = p.position AND m.account_id = a.id
WHERE {of:a.id} AND p.amount_minor <> COALESCE(m.came, 0)
UNION ALL
SELECT p.id, p.amount_minor, COALESCE(m.went, 0), a.id FROM ledger_posting p
JOIN ledger_account a ON a.id = p.source_id AND a.lots
LEFT JOIN moved m ON m.journal_id = p.journal_id AND m.position = p.position AND m.account_id = a.id
WHERE {of:a.id} AND p.amount_minor <> COALESCE(m.went, 0)
"""

_UNMOVED: Final = """
SELECT u.id, u.kind, u.amount_minor, l.account_id FROM ledger_lotuse u JOIN ledger_lot l ON l.id = u.lot_id
WHERE u.kind NOT IN ('held', 'unheld') AND {of:l.account_id}
    AND NOT EXISTS (SELECT 1 FROM ledger_posting p WHERE p.journal_id = u.journal_id AND p.position = u.position
        AND l.account_id IN (p.source_id, p.target_id))
ORDER BY u.id
"""

_COUNTERS: Final = ("issued", "used", "expired", "held")


@check("ledger.lot_is_its_uses", "What a lot says was issued, used, expired and held is what its uses add up to.")
def lot_is_its_uses(run: Run) -> Iterator[Fault]:
    for lot, *pairs in rows(_USES.format(of=scope(run))):
        for name, now, told in zip(_COUNTERS, pairs[::2], pairs[1::2], strict=True):
            if now != told:
                yield f"lot {key(lot)}", f"{now} are {name}, by its uses {told}"


@check("ledger.lot_adds_up", "Of a lot, no more is used, expired and held than was issued, and none of it is negative.")
def lot_adds_up(run: Run) -> Iterator[Fault]:
    for lot, issued, used, expired, held in rows(_OVERSPENT.format(of=scope(run))):
        yield f"lot {key(lot)}", f"of {issued} issued, {used} are used, {expired} expired, {held} held"


@check("ledger.lots_are_balance", "What is left and held in an account's lots is what its balance says.")
def lots_are_balance(run: Run) -> Iterator[Fault]:
    for account, posted, total, held, lots_held, lots in rows(_ACCOUNTS.format(of=scope(run))):
        if not lots:
            yield f"account {account}", "it has lots, though it is of no kind that expires"
            continue
        if posted != total:
            yield f"account {account}", f"{posted} stand on it, its lots add up to {total}"
        if held != lots_held:
            yield f"account {account}", f"{held} are held on it, its lots say {lots_held}"


@check("ledger.hold_reserves_lots", "On an account with lots, a hold has set aside of them what is left of it.")
def hold_reserves_lots(run: Run) -> Iterator[Fault]:
    for hold, left, reserved in rows(_RESERVES.format(of=scope(run))):
        yield f"hold {key(hold)}", f"{left} are left of it, it has {reserved} of lots set aside"


@check("ledger.lot_uses_match_postings", "What a posting moved on an account with lots, its lots moved.")
def lot_uses_match_postings(run: Run) -> Iterator[Fault]:
    for posting, amount, moved, account in rows(_MOVED.format(of=scope(run))):
        yield f"posting {posting}", f"moved {amount} on account {account}, whose lots moved {moved}"
    for use, kind, amount, account in rows(_UNMOVED.format(of=scope(run))):
        yield f"lot use {use}", f"says {amount} were {kind} on account {account}, where its journal posted nothing"
