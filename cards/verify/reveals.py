"""Looks at numbers, against the audit trail."""

from collections.abc import Iterator
from typing import Final

from cards.models import CardReveal
from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import rows

_APART: Final = """
SELECT r.id, r.shown_at IS NOT NULL, COUNT(e.id) FROM cards_cardreveal r
LEFT JOIN core_auditentry e ON e.act = 'card.shown' AND e.subject = 'cards.cardreveal:' || r.id
GROUP BY r.id, r.shown_at HAVING COUNT(e.id) <> CASE WHEN r.shown_at IS NULL THEN 0 ELSE 1 END ORDER BY r.id
"""
_UNKNOWN: Final = """
SELECT e.subject FROM core_auditentry e LEFT JOIN cards_cardreveal r ON e.subject = 'cards.cardreveal:' || r.id
WHERE e.act IN ('card.shown', 'card.reveal_permitted') AND r.id IS NULL ORDER BY e.id
"""


@check("cards.looks_are_told", "Each time that a number was shown is on the audit trail, once, and no other time is.")
def looks_are_told(run: Run) -> Iterator[Fault]:
    run.seen["looks at cards' numbers"] = CardReveal.objects.count()
    for pk, shown, told in rows(_APART):
        yield f"look {pk}", f"it was {'shown' if shown else 'not shown'}, and told {told} times"
    for (subject,) in rows(_UNKNOWN):
        yield subject, "the audit trail tells of a look that is not there"
