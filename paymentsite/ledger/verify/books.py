"""Accounts and what is on them now."""

from collections.abc import Iterator
from typing import Any, Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.verify.scope import rows, scope

_UNITS: Final = """
SELECT a.unit, SUM(live.amount) FROM (
    SELECT account_id, posted_minor AS amount FROM ledger_balance
    UNION ALL
    SELECT p.target_id, p.amount_minor FROM ledger_unsealed u JOIN ledger_posting p ON p.journal_id = u.journal_id
    WHERE p.target_seq IS NULL
    UNION ALL
    SELECT p.source_id, -p.amount_minor FROM ledger_unsealed u JOIN ledger_posting p ON p.journal_id = u.journal_id
    WHERE p.source_seq IS NULL
) AS live JOIN ledger_account a ON a.id = live.account_id
GROUP BY a.unit HAVING SUM(live.amount) <> 0 ORDER BY a.unit
"""

_STRICT: Final = """
SELECT b.account_id, b.posted_minor, COALESCE(h.total, 0), b.seq, COALESCE(h.count, 0), COALESCE(h.last, 0)
FROM ledger_balance b
JOIN ledger_account a ON a.id = b.account_id AND a.mode = 'strict'
LEFT JOIN (
    SELECT account_id, SUM(amount) AS total, COUNT(*) AS count, MAX(seq) AS last FROM (
        SELECT target_id AS account_id, target_seq AS seq, amount_minor AS amount FROM ledger_posting
        WHERE target_seq IS NOT NULL AND {of:target_id}
        UNION ALL
        SELECT source_id, source_seq, -amount_minor FROM ledger_posting
        WHERE source_seq IS NOT NULL AND {of:source_id}
    ) AS side GROUP BY account_id
) AS h ON h.account_id = b.account_id
WHERE {of:b.account_id}
    AND (b.posted_minor <> COALESCE(h.total, 0) OR b.seq <> COALESCE(h.count, 0) OR b.seq <> COALESCE(h.last, 0))
ORDER BY b.account_id
"""

_DEFERRED: Final = """
SELECT b.account_id, b.posted_minor, COALESCE(h.total, 0), b.seq
FROM ledger_balance b
JOIN ledger_account a ON a.id = b.account_id AND a.mode = 'deferred'
LEFT JOIN (
    SELECT account_id, SUM(amount) AS total FROM (
        SELECT target_id AS account_id, SUM(amount_minor) AS amount FROM ledger_posting
        WHERE target_seq IS NULL AND {of:target_id}
            AND EXISTS (SELECT 1 FROM ledger_leaf l WHERE l.journal_id = ledger_posting.journal_id)
        GROUP BY target_id
        UNION ALL
        SELECT source_id, -SUM(amount_minor) FROM ledger_posting
        WHERE source_seq IS NULL AND {of:source_id}
            AND EXISTS (SELECT 1 FROM ledger_leaf l WHERE l.journal_id = ledger_posting.journal_id)
        GROUP BY source_id
    ) AS side GROUP BY account_id
) AS h ON h.account_id = b.account_id
WHERE {of:b.account_id} AND (b.posted_minor <> COALESCE(h.total, 0) OR b.seq <> 0)
ORDER BY b.account_id
"""

_WITHOUT_BALANCE: Final = """
SELECT a.id FROM ledger_account a LEFT JOIN ledger_balance b ON b.account_id = a.id
WHERE b.account_id IS NULL ORDER BY a.id
"""

_EVENTS: Final = """
SELECT b.account_id, b.status, b.floor_minor, b.seq, ends.opened, first.kind, first.seq, last.status, last.floor_minor,
    last.seq
FROM ledger_balance b
LEFT JOIN (
    SELECT account_id, MIN(id) AS first, MAX(id) AS last, SUM(CASE WHEN kind = 'opened' THEN 1 ELSE 0 END) AS opened
    FROM ledger_accountevent GROUP BY account_id
) AS ends ON ends.account_id = b.account_id
LEFT JOIN ledger_accountevent first ON first.id = ends.first
LEFT JOIN ledger_accountevent last ON last.id = ends.last
WHERE {of:b.account_id}
    AND (ends.opened IS NULL OR ends.opened <> 1 OR first.kind <> 'opened' OR first.seq <> 0
        OR last.status <> b.status OR last.seq > b.seq OR last.floor_minor <> b.floor_minor
        OR (last.floor_minor IS NULL) <> (b.floor_minor IS NULL))
ORDER BY b.account_id
"""

_EVENTS_BACK: Final = """
SELECT account_id, id, seq, before FROM (
    SELECT account_id, id, seq, LAG(seq) OVER (PARTITION BY account_id ORDER BY id) AS before
    FROM ledger_accountevent WHERE {of:account_id}
) AS event WHERE seq < before ORDER BY id
"""


@check("ledger.units_sum_to_zero", "In each unit the balances of all accounts add up to zero.")
def units_sum_to_zero(_: Run) -> Iterator[Fault]:
    for unit, total in rows(_UNITS):
        yield f"unit {unit}", f"its balances add up to {total}"


@check("ledger.balance_is_history", "Each balance is what its postings add up to; of a hot account, what was sealed.")
def balance_is_history(run: Run) -> Iterator[Fault]:
    for account, posted, total, *_ in run.once(_odd_strict):
        if posted != total:
            yield f"account {account}", f"{posted} stand on it, its postings add up to {total}"
    for account, posted, total, _ in run.once(_odd_deferred):
        if posted != total:
            yield f"account {account}", f"{posted} are rolled up on it, its sealed postings add up to {total}"


@check("ledger.postings_counted", "Each account counts its postings, from one on without a gap; a hot one does not.")
def postings_counted(run: Run) -> Iterator[Fault]:
    for account, _, _, seq, count, last in run.once(_odd_strict):
        if not seq == count == last:
            yield f"account {account}", f"it counts {seq} postings, there are {count}, the last is numbered {last}"
    for account, _, _, seq in run.once(_odd_deferred):
        if seq:
            yield f"account {account}", f"it counts {seq} postings, though it is hot"


@check("ledger.account_has_balance", "Each account has its balance.")
def account_has_balance(_: Run) -> Iterator[Fault]:
    for (account,) in rows(_WITHOUT_BALANCE):
        yield f"account {account}", "it has no balance"


@check("ledger.account_is_its_events", "Each account has the status and floor that the last change gave it.")
def account_is_its_events(run: Run) -> Iterator[Fault]:
    for account, status, floor, seq, opened, *first, last_status, last_floor, last_seq in rows(
        _EVENTS.format(of=scope(run))
    ):
        if opened != 1 or first != ["opened", 0]:
            yield f"account {account}", f"its events begin with {opened or 0} openings, not one before any posting"
        elif last_seq > seq:
            yield f"account {account}", f"was changed after posting {last_seq}, and has {seq}"
        else:
            now, then = f"{status} with floor {floor}", f"{last_status} with floor {last_floor}"
            yield f"account {account}", f"it is {now}, its last change made it {then}"
    for account, event, seq, before in rows(_EVENTS_BACK.format(of=scope(run))):
        yield f"account {account}", f"event {event} is of posting {seq}, the one before it of {before}"


def _odd_strict(run: Run) -> list[tuple[Any, ...]]:
    return list(rows(_STRICT.format(of=scope(run))))


def _odd_deferred(run: Run) -> list[tuple[Any, ...]]:
    return list(rows(_DEFERRED.format(of=scope(run))))
