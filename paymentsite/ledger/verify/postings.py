"""Postings, one by one and in the order in which each account counts them."""

from collections.abc import Iterator
from typing import Any, Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.verify.scope import rows, scope

_SIDES: Final = """
    SELECT target_id AS account_id, target_seq AS seq, target_balance_minor AS balance, amount_minor AS amount, id,
        journal_id
    FROM ledger_posting WHERE target_seq IS NOT NULL AND {of:target_id}
    UNION ALL
    SELECT source_id, source_seq, source_balance_minor, -amount_minor, id, journal_id
    FROM ledger_posting WHERE source_seq IS NOT NULL AND {of:source_id}
"""

_ORDER: Final = f"""
SELECT id, account_id, seq, balance, amount, seq_before, balance_before FROM (
    SELECT id, account_id, seq, balance, amount, COALESCE(LAG(seq) OVER line, 0) AS seq_before,
        COALESCE(LAG(balance) OVER line, 0) AS balance_before
    FROM ({_SIDES}) AS side WINDOW line AS (PARTITION BY account_id ORDER BY seq, id)
) AS side WHERE seq <> seq_before + 1 OR balance <> balance_before + amount
ORDER BY account_id, seq, id
"""

# An event is in force from the posting after it to the next event; several between two postings leave the last one.
_IN_FORCE: Final = f"""
WITH term AS (
    SELECT account_id, status, floor_minor, seq AS since, LEAD(seq) OVER (PARTITION BY account_id ORDER BY id) AS until
    FROM ledger_accountevent
)
SELECT side.id, side.account_id, side.seq, side.balance, term.floor_minor, term.status, side.journal_id
FROM ({_SIDES}) AS side JOIN term ON term.account_id = side.account_id
WHERE side.seq > term.since AND (term.until IS NULL OR side.seq <= term.until)
    AND (side.balance < term.floor_minor OR term.status IN ('frozen', 'closed'))
ORDER BY side.account_id, side.seq
"""

_LATER_IN_JOURNAL: Final = """
SELECT 1 FROM ledger_posting
WHERE journal_id = %s AND ((source_id = %s AND source_seq > %s) OR (target_id = %s AND target_seq > %s)) LIMIT 1
"""

_BELOW_NOW: Final = """
SELECT account_id, posted_minor, held_minor, floor_minor FROM ledger_balance
WHERE posted_minor - held_minor < floor_minor ORDER BY account_id
"""

_CLOSED_WITH: Final = """
SELECT account_id, posted_minor, held_minor FROM ledger_balance
WHERE status = 'closed' AND (posted_minor <> 0 OR held_minor <> 0) ORDER BY account_id
"""

_ENDS: Final = """
SELECT p.id, p.unit, s.unit, t.unit, s.mode, p.source_seq, t.mode, p.target_seq
FROM ledger_posting p JOIN ledger_account s ON s.id = p.source_id JOIN ledger_account t ON t.id = p.target_id
WHERE ({of:p.source_id} OR {of:p.target_id})
    AND (p.unit <> s.unit OR p.unit <> t.unit
        OR (s.mode = 'strict') = (p.source_seq IS NULL) OR (t.mode = 'strict') = (p.target_seq IS NULL))
ORDER BY p.id
"""

_REVERSED_TOO_MUCH: Final = """
SELECT o.id, o.amount_minor, SUM(r.amount_minor) FROM ledger_posting r JOIN ledger_posting o ON o.id = r.reverses_id
WHERE {of:r.source_id} GROUP BY o.id, o.amount_minor HAVING SUM(r.amount_minor) > o.amount_minor ORDER BY o.id
"""

_REVERSED_ASKEW: Final = """
SELECT r.id, o.id FROM ledger_posting r JOIN ledger_posting o ON o.id = r.reverses_id
WHERE {of:r.source_id} AND (r.source_id <> o.target_id OR r.target_id <> o.source_id OR r.unit <> o.unit) ORDER BY r.id
"""


@check("ledger.seq_gapless", "The postings of each account are numbered from one on, without gap or repetition.")
def seq_gapless(run: Run) -> Iterator[Fault]:
    for posting, account, seq, _, _, before, _ in run.once(_out_of_order):
        if seq != before + 1:
            yield f"posting {posting}", f"is number {seq} of account {account}, the one before it is {before}"


@check("ledger.running_balance", "Each posting left the balance before it, more or less by its amount.")
def running_balance(run: Run) -> Iterator[Fault]:
    for posting, account, seq, balance, amount, _, before in run.once(_out_of_order):
        if balance != before + amount:
            left = f"{balance} on account {account} as number {seq}"
            yield f"posting {posting}", f"says it left {left}; {before} before it and {amount} by it are not that"


@check("ledger.floor_kept", "No journal left an account below the floor that was then in force, and none is below now.")
def floor_kept(run: Run) -> Iterator[Fault]:
    for posting, account, seq, balance, floor, _, journal in run.once(_out_of_bounds):
        if floor is not None and balance < floor and not _goes_on(account, seq, journal):
            yield f"posting {posting}", f"left {balance} on account {account}, whose floor was {floor}"
    for account, posted, held, floor in rows(_BELOW_NOW):
        yield f"account {account}", f"{posted} on it less {held} held are below its floor {floor}"


@check(
    "ledger.status_kept",
    "Nothing was posted on a strict account while it was frozen or after it was closed; what is closed is empty.",
)
def status_kept(run: Run) -> Iterator[Fault]:
    for posting, account, seq, _, _, status, _ in run.once(_out_of_bounds):
        if status in {"frozen", "closed"}:
            yield f"posting {posting}", f"is number {seq} of account {account}, which was {status} by then"
    for account, posted, held in rows(_CLOSED_WITH):
        yield f"account {account}", f"is closed with {posted} on it and {held} held"


@check("ledger.units_agree", "A posting and both its accounts are of one unit.")
def units_agree(run: Run) -> Iterator[Fault]:
    for posting, unit, source, target, *_ in run.once(_odd_ends):
        if not unit == source == target:
            yield f"posting {posting}", f"moves {unit} from an account of {source} to one of {target}"


@check("ledger.sides_by_mode", "A posting has a number and a balance on strict accounts, and on no others.")
def sides_by_mode(run: Run) -> Iterator[Fault]:
    for posting, _, _, _, *ends in run.once(_odd_ends):
        for side, mode, seq in (("source", *ends[:2]), ("target", *ends[2:])):
            if (mode == "strict") is (seq is None):
                yield f"posting {posting}", f"its {side} is {mode} and it is number {seq} there"


@check("ledger.reversal_within", "Reversals go back the way of their original, and no further than it went.")
def reversal_within(run: Run) -> Iterator[Fault]:
    for posting, amount, reversed_ in rows(_REVERSED_TOO_MUCH.format(of=scope(run))):
        yield f"posting {posting}", f"moved {amount}, of which {reversed_} were moved back"
    for reversal, posting in rows(_REVERSED_ASKEW.format(of=scope(run))):
        yield f"posting {reversal}", f"reverses posting {posting} without going back its way"


def _out_of_order(run: Run) -> list[tuple[Any, ...]]:
    return list(rows(_ORDER.format(of=scope(run))))


def _out_of_bounds(run: Run) -> list[tuple[Any, ...]]:
    return list(rows(_IN_FORCE.format(of=scope(run))))


def _odd_ends(run: Run) -> list[tuple[Any, ...]]:
    return list(rows(_ENDS.format(of=scope(run))))


def _goes_on(account: int, seq: int, journal: object) -> bool:
    """Whether the journal has another posting on the account: within one, what comes in may pay for what went out."""
    return any(rows(_LATER_IN_JOURNAL, [journal, account, seq, account, seq]))
