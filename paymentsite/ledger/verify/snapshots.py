"""Snapshots: what was on accounts when a block was closed."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Snapshot
from paymentsite.ledger.verify.scope import rows, scope

# A strict account's postings say themselves what they left: the one that the snapshot ends with must say the same and
# be sealed by then, and the next one must not be.
_STRICT: Final = """
SELECT s.account_id, s.block_id, s.posted_minor, COALESCE(came.target_balance_minor, went.source_balance_minor, 0),
    s.seq, here.block_id, beyond.block_id
FROM ledger_snapshot s JOIN ledger_account a ON a.id = s.account_id AND a.mode = 'strict'
LEFT JOIN ledger_posting came ON came.target_id = s.account_id AND came.target_seq = s.seq
LEFT JOIN ledger_posting went ON went.source_id = s.account_id AND went.source_seq = s.seq
LEFT JOIN ledger_leaf here ON here.journal_id = COALESCE(came.journal_id, went.journal_id)
LEFT JOIN ledger_posting comes ON comes.target_id = s.account_id AND comes.target_seq = s.seq + 1
LEFT JOIN ledger_posting goes ON goes.source_id = s.account_id AND goes.source_seq = s.seq + 1
LEFT JOIN ledger_leaf beyond ON beyond.journal_id = COALESCE(comes.journal_id, goes.journal_id)
WHERE s.block_id > %s AND {of:s.account_id}
    AND (s.posted_minor <> COALESCE(came.target_balance_minor, went.source_balance_minor, 0)
        OR (s.seq > 0 AND (here.block_id IS NULL OR here.block_id > s.block_id)) OR beyond.block_id <= s.block_id)
ORDER BY s.account_id, s.block_id
"""

# What hot accounts moved and what was held stands in a line with the snapshots, each behind the changes of its block:
# what adds up before it in the line is what it must say.
_ADDED_UP: Final = """
SELECT line.account_id, block_id, posted_minor, posted, held_minor, held, seq FROM (
    SELECT account_id, block_id, posted_minor, held_minor, seq, rank, SUM(posted) OVER line AS posted,
        SUM(held) OVER line AS held
    FROM (
        SELECT p.target_id AS account_id, l.block_id, 0 AS rank, SUM(p.amount_minor) AS posted, 0 AS held,
            0 AS posted_minor, 0 AS held_minor, 0 AS seq
        FROM ledger_posting p JOIN ledger_leaf l ON l.journal_id = p.journal_id
        WHERE p.target_seq IS NULL AND {of:p.target_id} GROUP BY p.target_id, l.block_id
        UNION ALL
        SELECT p.source_id, l.block_id, 0, -SUM(p.amount_minor), 0, 0, 0, 0
        FROM ledger_posting p JOIN ledger_leaf l ON l.journal_id = p.journal_id
        WHERE p.source_seq IS NULL AND {of:p.source_id} GROUP BY p.source_id, l.block_id
        UNION ALL
        SELECT h.account_id, l.block_id, 0, 0,
            SUM(CASE WHEN e.kind IN ('placed', 'increased') THEN e.amount_minor ELSE -e.amount_minor END), 0, 0, 0
        FROM ledger_holdevent e JOIN ledger_hold h ON h.id = e.hold_id
        JOIN ledger_leaf l ON l.journal_id = e.journal_id
        WHERE {of:h.account_id} GROUP BY h.account_id, l.block_id
        UNION ALL
        SELECT account_id, block_id, 1, 0, 0, posted_minor, held_minor, seq FROM ledger_snapshot WHERE {of:account_id}
    ) AS change WINDOW line AS (PARTITION BY account_id ORDER BY block_id, rank)
) AS line JOIN ledger_account a ON a.id = line.account_id
WHERE rank = 1 AND block_id > %s
    AND (held_minor <> held OR (a.mode = 'deferred' AND (posted_minor <> posted OR seq <> 0)))
ORDER BY line.account_id, block_id
"""


@check("ledger.snapshot_is_history", "A snapshot is what its block and all before had made of the account.")
def snapshot_is_history(run: Run) -> Iterator[Fault]:
    height = scope(run).height
    if not Snapshot.objects.filter(block__gt=height).exists():
        return
    for account, block, posted, told, seq, *_ in rows(_STRICT.format(of=scope(run)), [height]):
        subject = f"snapshot of account {account} at block {block}"
        if posted != told:
            yield subject, f"its balance is {posted}, that after posting {seq} is {told}"
        else:
            yield subject, f"posting {seq} is not the last one sealed by then"
    for account, block, posted, told, held, held_told, seq in rows(_ADDED_UP.format(of=scope(run)), [height]):
        subject = f"snapshot of account {account} at block {block}"
        if held != held_told:
            yield subject, f"{held} are held by it, by history {held_told}"
        else:
            yield subject, f"its balance is {posted} after {seq} counted postings, by history {told} after none"
