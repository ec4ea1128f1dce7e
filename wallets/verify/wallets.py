"""Wallets against what was done to them, and against their accounts."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import rows

# A freeze writes the account's change before the wallet's own, so a change told later was made at the ledger by hand.
_APART: Final = """
SELECT w.id, w.state, b.status, e.act FROM wallets_wallet w
JOIN ledger_balance b ON b.account_id = w.account_id
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id FROM core_auditentry
    WHERE act IN ('wallet.opened', 'wallet.open', 'wallet.frozen', 'wallet.closed') GROUP BY subject
) t ON t.subject = 'wallets.wallet:' || w.id
LEFT JOIN core_auditentry e ON e.id = t.last_id
LEFT JOIN (
    SELECT subject, MAX(id) AS last_id FROM core_auditentry WHERE act = 'ledger.set_status' GROUP BY subject
) s ON s.subject = 'ledger.account:' || w.account_id
WHERE e.id IS NULL OR 'wallet.' || w.state <> CASE e.act WHEN 'wallet.opened' THEN 'wallet.open' ELSE e.act END
    OR (w.state = 'open' AND b.status <> 'open' AND (s.last_id IS NULL OR s.last_id < t.last_id))
    OR (w.state = 'frozen' AND b.status = 'open')
    OR (w.state = 'closed' AND b.status <> 'closed')
ORDER BY w.id
"""


@check(
    "wallets.state_is_account_status",
    "Each wallet is in the state that the audit trail last tells, and its account lets no more out than that.",
)
def state_is_account_status(run: Run) -> Iterator[Fault]:
    for wallet, state, status, told in rows(_APART):
        yield f"wallet {wallet}", f"it is {state}, its account is {status}; last told: {told or 'nothing'}"
    run.seen["wallets"] = rows("SELECT COUNT(*) FROM wallets_wallet")[0][0]
