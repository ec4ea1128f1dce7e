"""Orders of which something else moved than we asked for, and money that came back past the gateway: staff decides.

One person proposes how it ends, another one approves, see ``paymentsite.core.services.approvals``.
"""

from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger.models import Hold
from wallets.gateways.base import Answer, Outcome
from wallets.models import GatewayOrder, ProofDeposit, TopUp, Wallet, Withdrawal
from wallets.models.orders import UNDECIDED, State
from wallets.services import bookings, endings, orders, outcomes, wallets
from wallets.services.orders import Origin

BookedTo = GatewayOrder.BookedTo

RIGHT: Final = "wallets.decide_order"


class NothingToDecide(Refused, state=State):
    code = "order_nothing_to_decide"
    sentence = gettext_noop("There is nothing to decide about this order: it is {state}.")


class BooksClosed(Refused):
    code = "order_books_closed"
    sentence = gettext_noop("Nothing can be taken from this wallet's account at present: it is frozen in the ledger.")


class GivenBack(TextChoices):
    BY_HAND = "by_hand", _("by hand, already")
    BY_GATEWAY = "by_gateway", _("by its gateway, once this is approved")
    NOT = "not", _("not by its gateway")


_LINES: Final = {
    "order": Line(_("order")),
    "asked": Line(_("asked for")),
    "moved": Line(_("moved")),
    "given_back": Line(_("given back"), GivenBack),
    "gateway": Line(_("gateway")),
    "comes_back": Line(_("comes back")),
    "fee": Line(_("and the fee")),
    "happened": Line(_("it happened")),
    "booked_to": Line(_("booked to"), BookedTo),
    "account": Line(_("account")),
}


@approvals.required(
    "wallets.accept_order", right=RIGHT, concerns=("order.member_id",), title=_("Book what really moved"), lines=_LINES
)
def accept(*, order: GatewayOrder, by: Actor, reason: str) -> Effect:
    """What really moved is what is booked: on the member's wallet in the currency in which it came, or out of the
    hold, which then ends. The fee is taken where it can be."""
    found = _decidable(order, {State.CONFLICT})
    booked = _came(found, by) if isinstance(found, TopUp) else _went(found, by, reason)
    orders.resolved(found, orders.DIFFERS, by=by, note=reason)
    return {**_facts(found), **booked}


@approvals.required(
    "wallets.give_back_order", right=RIGHT, concerns=("order.member_id",), title=_("Give back what came"), lines=_LINES
)
def give_back(*, order: TopUp, by_hand: bool, by: Actor, reason: str) -> Effect:
    """What came is given back and never booked: by the gateway, which is asked once this is committed, or where
    somebody has done it ``by_hand`` at the gateway already, at once. The latter also ends what is being given back, and
    of which the gateway says nothing."""
    found = _decidable(order, {State.CONFLICT, State.RETURNING} if by_hand else {State.CONFLICT})
    orders.resolved(found, orders.DIFFERS, by=by, note=reason)
    if by_hand:
        orders.change(found, State.RETURNED, origin=Origin.STAFF, reason=reason, by=by)
        endings.not_topped_up(found)
        return {**_facts(found), "given_back": GivenBack.BY_HAND}
    now = clock.now()
    orders.change(
        found,
        State.RETURNING,
        origin=Origin.STAFF,
        reason=reason,
        by=by,
        refund_id=uuid7(now),
        next_query_at=now,
        queries=0,
    )
    return {**_facts(found), "given_back": GivenBack.BY_GATEWAY, "gateway": found.gateway}


@approvals.required(
    "wallets.not_given_back",
    right=RIGHT,
    concerns=("order.member_id",),
    title=_("Decide again about what was not given back"),
    lines=_LINES,
)
def not_given_back(*, order: TopUp, by: Actor, reason: str) -> Effect:
    """The gateway, which says nothing of it, did not give it back: it is to be decided again."""
    found = _decidable(order, {State.RETURNING})
    orders.change(found, State.CONFLICT, origin=Origin.STAFF, reason=reason, by=by)
    orders.needs_person(found, orders.DIFFERS, "It was not given back. Decide again.")
    return {**_facts(found), "given_back": GivenBack.NOT}


@approvals.required(
    "wallets.returned_withdrawal",
    right=RIGHT,
    concerns=("order.member_id",),
    title=_("Book that a withdrawal came back"),
    lines=_LINES,
)
def returned(*, order: Withdrawal, by: Actor, reason: str) -> Effect:
    """It came back without its gateway having said so: amount and fee are in the wallet again."""
    found = _decidable(order, {State.CONFLICT, State.SUCCEEDED})
    orders.tell(found, origin=Origin.STAFF, reason=reason, by=by)
    answer = Answer(outcome=Outcome.RETURNED, reason=reason)
    outcomes.settle(order=found, answer=answer, origin=Origin.STAFF, gateway=found.gateway)
    return {**_facts(found), "comes_back": found.moved, "fee": found.fee}


@approvals.required(
    "wallets.end_order",
    right=RIGHT,
    concerns=("order.member_id",),
    title=_("End an order of which its gateway knows nothing"),
    lines=_LINES,
)
def end(*, order: GatewayOrder, happened: bool, by: Actor, reason: str) -> Effect:
    """An order of which its gateway says nothing happened as we asked for it, or never did: somebody has found out."""
    found = _decidable(order, set(UNDECIDED))
    orders.tell(found, origin=Origin.STAFF, reason=reason, by=by)
    answer = Answer(outcome=Outcome.SUCCEEDED if happened else Outcome.FAILED, reason=reason)
    settled = outcomes.settle(order=found, answer=answer, origin=Origin.STAFF, gateway=found.gateway)
    if not settled.decided:
        raise BooksClosed
    return {**_facts(found), "happened": happened}


def _decidable(order: GatewayOrder, states: set[State]) -> Any:
    found = orders.locked(order)
    if found.state not in states:
        raise NothingToDecide(state=found.state)
    return found


def _facts(order: GatewayOrder) -> dict[str, Any]:
    if isinstance(order, ProofDeposit):  # whoever knows its amount, and the other one, can verify the account
        return {"order": order}
    return {"order": order, "asked": order.amount, "moved": order.moved}


def _came(order: TopUp, by: Actor) -> Effect:
    wallet: Wallet | None = order.wallet
    if order.member.state == Member.State.CLOSED:
        wallet = None
    elif order.moved.unit != order.currency:
        wallet = wallets.open(member=order.member, currency=order.moved.unit, by=by)
    if wallet is not None and not bookings.takes(wallet):
        wallet = None
    late = endings.happened_after_all(order)
    endings.moved_otherwise(order)
    fits = wallet is not None and order.moved.unit == order.currency and order.fee < order.moved
    charged = fits and not late
    fee = order.fee if charged else Money.zero(order.moved.unit)
    journal = bookings.came_in(order, amount=order.moved, fee=fee, wallet=wallet)
    orders.change(
        order,
        State.SUCCEEDED,
        origin=Origin.STAFF,
        by=by,
        journal_id=journal,
        booked_to=BookedTo.WALLET if wallet else BookedTo.SUSPENSE,
        fee_minor=fee.minor,
    )
    if not charged:
        endings.fee_given_back(order)
    if wallet is None:
        endings.kept_aside(order)
        orders.needs_person(order, orders.SUSPENDED, "It came for a wallet that takes nothing, and is in suspense.")
        return {"booked_to": BookedTo.SUSPENSE}
    endings.topped_up(order)
    # By its account: the wallet may be made by this act, and when rehearsed was another row.
    return {"booked_to": BookedTo.WALLET, "account": str(wallet.account)}


def _went(order: Withdrawal, by: Actor, reason: str) -> Effect:
    endings.happened_after_all(order)
    endings.moved_otherwise(order)
    from_hold = Hold.objects.get(pk=order.hold_id).state == Hold.State.OPEN
    journal = bookings.went_out(order, amount=order.moved)
    orders.change(
        order,
        State.SUCCEEDED,
        origin=Origin.STAFF,
        reason=reason,
        by=by,
        journal_id=journal,
        booked_to=BookedTo.WALLET if from_hold else BookedTo.SUSPENSE,
        fee_minor=order.fee_minor if from_hold else 0,
    )
    if not from_hold or order.moved.unit != order.currency:
        orders.needs_person(order, orders.SUSPENDED, "What went is booked against suspense, for staff to settle.")
        endings.paid_out_otherwise(order)
    else:
        endings.paid_out(order)
        if order.moved > order.amount:
            more = f"{order.moved - order.amount} more went than was on hold"
            orders.needs_person(order, orders.SUSPENDED, f"{more}: booked against suspense, for staff to settle.")
    return {"booked_to": BookedTo.WALLET if from_hold else BookedTo.SUSPENSE}
