"""Transfers and their journals."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import key, rows

# The amount is the journal's first posting, out of a wallet of the sender's into one of the receiver's; the fee is all
# else that left the sender's.
_BOOKED: Final = """
SELECT t.public_id,
    CASE
        WHEN j.id IS NULL OR j.refusal IS NOT NULL OR j.kind <> 'transfer' THEN 'its journal is none that was posted'
        WHEN j.source <> 'transfer:' || {uuid:t.public_id} THEN 'its journal is about something else'
        WHEN p.id IS NULL OR p.amount_minor <> t.amount_minor OR p.unit <> t.currency
            THEN 'its journal moves another amount'
        WHEN sw.id IS NULL THEN 'its journal takes it from somebody else'
        WHEN rw.id IS NULL THEN 'its journal gives it to somebody else'
        ELSE 'its journal takes another fee'
    END
FROM wallets_transfer t
LEFT JOIN ledger_journal j ON j.id = t.journal_id
LEFT JOIN ledger_posting p ON p.journal_id = t.journal_id AND p.position = 1
LEFT JOIN wallets_wallet sw ON sw.account_id = p.source_id AND sw.member_id = t.sender_id
LEFT JOIN wallets_wallet rw ON rw.account_id = p.target_id AND rw.member_id = t.receiver_id
LEFT JOIN (
    SELECT journal_id, source_id, SUM(amount_minor) AS total FROM ledger_posting WHERE position > 1
    GROUP BY journal_id, source_id
) AS fee ON fee.journal_id = t.journal_id AND fee.source_id = p.source_id
WHERE j.id IS NULL OR j.refusal IS NOT NULL OR j.kind <> 'transfer' OR p.id IS NULL
    OR p.amount_minor <> t.amount_minor OR p.unit <> t.currency OR sw.id IS NULL OR rw.id IS NULL
    OR COALESCE(fee.total, 0) <> t.fee_minor OR j.source <> 'transfer:' || {uuid:t.public_id}
ORDER BY t.id
"""

_UNBOOKED: Final = """
SELECT j.id FROM ledger_journal j LEFT JOIN wallets_transfer t ON t.journal_id = j.id
WHERE j.scope = 'wallets.transfer' AND j.refusal IS NULL AND t.id IS NULL ORDER BY j.id
"""


@check(
    "wallets.transfer_is_its_journal", "Each transfer moved its amount and fee, between its members, in one journal."
)
def transfer_is_its_journal(run: Run) -> Iterator[Fault]:
    for transfer, what in rows(_BOOKED):
        yield f"transfer {key(transfer)}", what
    run.seen["transfers"] = rows("SELECT COUNT(*) FROM wallets_transfer")[0][0]


@check("wallets.journal_has_transfer", "Each journal of a transfer has its transfer.")
def journal_has_transfer(_: Run) -> Iterator[Fault]:
    for (journal,) in rows(_UNBOOKED):
        yield f"journal {key(journal)}", "it moved money for a transfer that does not exist"
