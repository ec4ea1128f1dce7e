"""What uses of cards took of their members' limits without a question."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import rows

_TOLD: Final = """
SELECT u.id, m.kind FROM members_limituse u
LEFT JOIN cards_cardmessage m ON u.source = 'card_message:' || {uuid:m.id}
LEFT JOIN cards_cardauthorisation a ON a.id = m.use_id
WHERE u.told AND u.kind = 'card' AND (
    a.id IS NULL OR a.member_id <> u.member_id OR a.currency <> u.currency OR m.kind IN ('authorisation', 'increment'))
ORDER BY u.id
"""


@check(
    "cards.told_use_is_a_message",
    "What cards took of limits without a question was taken by a message about a use of its member's that asked none.",
)
def told_use_is_a_message(_: Run) -> Iterator[Fault]:
    for use, kind in rows(_TOLD):
        yield f"use of limits {use}", f"is told, and by {f'a message that is {kind}' if kind else 'no message'}"
