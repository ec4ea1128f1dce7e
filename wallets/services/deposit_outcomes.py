"""What it means for a small deposit, and for the proof that it belongs to, how its gateway says that it ended.

Nobody's wallet is touched, so nothing waits for staff to be booked: what moved is what we paid. What is written for
people says no amount: whoever knows both can verify the account.
"""

from typing import Final

from django.utils.translation import gettext_noop

from members.services import notices
from paymentsite.core import clock
from paymentsite.core.money import Money
from wallets.gateways.base import Answer
from wallets.models import AccountProof, GatewayOrder, ProofDeposit
from wallets.models.orders import State
from wallets.services import bookings, orders
from wallets.services.orders import Origin

BookedTo = GatewayOrder.BookedTo

_NOT_PAID: Final = notices.kind(
    "deposits_not_paid",
    gettext_noop(
        "Not all of the small deposits to {account} arrived as they were sent, or one came back: they do not verify it."
        " Check what you saved before you ask for new ones."
    ),
)


def went_out(order: ProofDeposit, answer: Answer, origin: Origin) -> None:
    journal = bookings.deposited(order, amount=order.amount)
    orders.change(order, State.SUCCEEDED, origin=origin, answer=answer, journal_id=journal, booked_to=BookedTo.HOUSE)


def went_out_otherwise(order: ProofDeposit, answer: Answer, origin: Origin, moved: Money) -> None:
    """Another amount is on the account's statement than the one that is asked for, or nothing."""
    if moved.minor <= 0:
        never_went(order, answer, origin)
        return
    journal = bookings.deposited(order, amount=moved)
    orders.change(
        order,
        State.SUCCEEDED,
        origin=origin,
        answer=answer,
        journal_id=journal,
        booked_to=BookedTo.HOUSE,
        moved_minor=moved.minor,
        moved_currency=moved.unit,
    )
    orders.needs_person(order, orders.DIFFERS, "Something else moved than we asked for. It is booked as it moved.")
    _proof_fails(order)


def never_went(order: ProofDeposit, answer: Answer, origin: Origin) -> None:
    orders.change(order, State.FAILED, origin=origin, answer=answer)
    _proof_fails(order)


def came_back(order: ProofDeposit, answer: Answer, origin: Origin) -> None:
    # First heard of as returned, it never was on the account as far as we knew, and nothing was booked.
    journal = bookings.deposit_came_back(order) if order.journal_id else None
    orders.change(order, State.RETURNED, origin=origin, answer=answer, return_journal_id=journal)
    orders.resolved(order, orders.DIFFERS)
    _proof_fails(order)


def _proof_fails(order: ProofDeposit) -> None:
    """What waits for amounts that are not on the account waits for nothing. Told once, whichever deposit is first."""
    proof = AccountProof.objects.filter(pk=order.proof_id)
    failed = proof.filter(state=AccountProof.State.WAITING).update(
        state=AccountProof.State.FAILED, decided_at=clock.now()
    )
    if failed:
        notices.tell(member=order.member, kind=_NOT_PAID, subject=order.source, account=order.destination)
    elif proof.filter(state=AccountProof.State.PASSED).exists():
        orders.needs_person(order, orders.CONTRADICTS, "Both amounts were named, and this one is not on the account.")
