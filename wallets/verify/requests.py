"""Requests to pay, and what paid them."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.verification import Fault, Run, check
from wallets.verify.reading import key, rows

_PAID: Final = """
SELECT r.public_id, t.occasion FROM wallets_moneyrequest r LEFT JOIN wallets_transfer t ON t.id = r.transfer_id
WHERE r.state = 'paid' AND (
    t.id IS NULL OR t.sender_id <> r.payer_id OR t.receiver_id <> r.asker_id OR t.amount_minor <> r.amount_minor
    OR t.currency <> r.currency OR t.occasion <> 'request:' || {uuid:r.public_id})
ORDER BY r.id
"""
_OCCASIONS: Final = """
SELECT t.public_id, t.occasion FROM wallets_transfer t LEFT JOIN wallets_moneyrequest r ON r.transfer_id = t.id
WHERE t.occasion LIKE 'request:%' AND r.id IS NULL ORDER BY t.id
"""


@check(
    "wallets.request_is_paid", "Each paid request was paid by its payer, to its asker, in full, by a transfer for it."
)
def request_is_paid(_: Run) -> Iterator[Fault]:
    for request, occasion in rows(_PAID):
        yield f"request {key(request)}", f"what paid it, for {occasion or 'nothing'}, is not what was asked for"


@check("wallets.payment_of_request", "Each transfer for a request is what paid it.")
def payment_of_request(_: Run) -> Iterator[Fault]:
    for transfer, occasion in rows(_OCCASIONS):
        yield f"transfer {key(transfer)}", f"was for {occasion}, which it did not pay"
