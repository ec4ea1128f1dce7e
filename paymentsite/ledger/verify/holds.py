"""Holds, and what accounts say is held."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.verify.scope import key, rows, scope

_HELD: Final = """
SELECT b.account_id, b.held_minor, COALESCE(h.total, 0) FROM ledger_balance b
LEFT JOIN (
    SELECT account_id, SUM(authorised_minor - captured_minor - released_minor) AS total FROM ledger_hold
    WHERE state = 'open' AND {of:account_id} GROUP BY account_id
) AS h ON h.account_id = b.account_id
WHERE {of:b.account_id} AND b.held_minor <> COALESCE(h.total, 0) ORDER BY b.account_id
"""

_UNITS: Final = """
SELECT h.id, h.unit, a.unit, a.mode FROM ledger_hold h JOIN ledger_account a ON a.id = h.account_id
WHERE {of:h.account_id} AND (h.unit <> a.unit OR a.mode <> 'strict') ORDER BY h.id
"""

# A hold that a final capture emptied is captured, though giving back the rest was the last thing done to it.
_TOLD: Final = """
SELECT * FROM (
    SELECT h.id, h.authorised_minor, told.authorised, h.captured_minor, told.captured, h.released_minor, told.released,
        told.placed, first.kind, h.state,
        CASE
            WHEN told.authorised > told.captured + told.released THEN 'open'
            WHEN last.kind = 'expired' THEN 'expired'
            WHEN last.kind = 'captured' THEN 'captured'
            WHEN EXISTS (SELECT 1 FROM ledger_holdevent c WHERE c.hold_id = h.id AND c.journal_id = last.journal_id
                AND c.position = last.position AND c.kind = 'captured') THEN 'captured'
            ELSE 'released'
        END AS end_state,
        h.expires_at, dated.expires_at AS until, h.placed_at, begun.recorded_at
    FROM ledger_hold h
    LEFT JOIN (
        SELECT hold_id, MIN(id) AS first, MAX(id) AS last,
            MAX(CASE WHEN kind IN ('placed', 'increased', 'extended') THEN id END) AS dated,
            SUM(CASE WHEN kind IN ('placed', 'increased') THEN amount_minor ELSE 0 END) AS authorised,
            SUM(CASE WHEN kind = 'captured' THEN amount_minor ELSE 0 END) AS captured,
            SUM(CASE WHEN kind IN ('released', 'expired') THEN amount_minor ELSE 0 END) AS released,
            SUM(CASE WHEN kind = 'placed' THEN 1 ELSE 0 END) AS placed
        FROM ledger_holdevent WHERE hold_id IN (SELECT id FROM ledger_hold WHERE {of:account_id}) GROUP BY hold_id
    ) AS told ON told.hold_id = h.id
    LEFT JOIN ledger_holdevent first ON first.id = told.first
    LEFT JOIN ledger_holdevent last ON last.id = told.last
    LEFT JOIN ledger_holdevent dated ON dated.id = told.dated
    LEFT JOIN ledger_journal begun ON begun.id = first.journal_id
    WHERE {of:h.account_id}
) AS hold
WHERE placed IS NULL OR placed <> 1 OR kind <> 'placed' OR authorised_minor <> authorised OR captured_minor <> captured
    OR released_minor <> released OR state <> end_state OR placed_at <> recorded_at
    OR expires_at <> until OR (expires_at IS NULL) <> (until IS NULL)
ORDER BY id
"""


@check("ledger.held_is_open_holds", "What an account says is held is what its open holds set aside.")
def held_is_open_holds(run: Run) -> Iterator[Fault]:
    for account, held, total in rows(_HELD.format(of=scope(run))):
        yield f"account {account}", f"{held} are held on it, its open holds set {total} aside"


@check("ledger.hold_fits_account", "A hold is on a strict account of its unit.")
def hold_fits_account(run: Run) -> Iterator[Fault]:
    for hold, unit, of, mode in rows(_UNITS.format(of=scope(run))):
        yield f"hold {key(hold)}", f"sets {unit} aside on a {mode} account of {of}"


@check("ledger.hold_is_its_events", "A hold is what its events made of it: amounts, state, times.")
def hold_is_its_events(run: Run) -> Iterator[Fault]:
    for hold, *pairs in rows(_TOLD.format(of=scope(run))):
        subject = f"hold {key(hold)}"
        if pairs[6] != 1 or pairs[7] != "placed":
            yield subject, f"{pairs[6] or 0} of its events place it, and one should, before all others"
            continue
        compared = (*pairs[:6], *pairs[8:])
        for name, now, told in zip(_COLUMNS, compared[::2], compared[1::2], strict=True):
            if now != told:
                yield subject, f"its {name} is {now}, by its events {told}"


_COLUMNS: Final = ("authorised amount", "captured amount", "released amount", "state", "expiry", "time of placing")
