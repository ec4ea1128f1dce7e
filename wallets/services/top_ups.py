"""Top-ups: money from outside into a wallet.

Intent, call, outcome: what is asked for is committed, then the gateway is called outside any transaction, then what it
answered is committed. Wherever that is cut off, the janitor finishes it.
"""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext, gettext_noop

from members.models import Member
from members.services import limits, members
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Missing, Refused
from paymentsite.core.formats import amount as formatted
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from wallets.models import GatewayRoute, Instrument, TopUp, Wallet
from wallets.services import fees, gateway_calls, orders, outcomes, payees, rerouting, room, routing
from wallets.services.wallets import WalletClosed
from wallets.telling import Told, teller

Origin = orders.Origin


class FeeTooHigh(Refused):
    code = "top_up_below_fee"
    sentence = gettext_noop("The fee of {fee} would leave nothing of {amount}.")


class NoSuchTopUp(Missing):
    code = "no_such_top_up"
    sentence = gettext_noop("There is no such top-up.")


class NothingToCancel(Refused, state=TopUp.State):
    code = "top_up_nothing_to_cancel"
    sentence = gettext_noop("Only what still waits for the member can be taken back. This top-up is: {state}.")


class CannotCancel(Refused):
    code = "top_up_cannot_cancel"
    sentence = gettext_noop("Its gateway cannot take this top-up back.")


def begin(
    *,
    member: Member,
    wallet: Wallet,
    amount: Money,
    method: str,
    reference: str,
    by: Actor,
    instrument: Instrument | None = None,
    return_url: str = "",
    fee: Money | None = None,
) -> TopUp:
    """Have a gateway take ``amount`` from the member's side; what comes of it is put on ``wallet``, less the ``fee``
    that they were shown.

    The order comes back as the gateway's first answer left it: done, failed, under way, or waiting for the member at
    its ``action_url``. Repeating a reference returns the order as it stands, and asks nobody anything. Never call it
    inside a transaction.
    """
    orders.check_asked(wallet=wallet, amount=amount, reference=reference)
    order, fresh = _intend(member, wallet, amount, method, reference, instrument, by, fee)
    return _send(order, instrument, return_url) if fresh else order


def cancel(*, order: TopUp, by: Actor, member: Member | None = None) -> TopUp:
    """Have the gateway take back a top-up that waits for the member, who then cannot pay it any more. To a member whose
    it is not there is none; staff name no member, and take back none of their own.

    The order comes back as the gateway's answer left it: failed where that is sure, else as it was, and it is asked
    about as before. Paid meanwhile, it is on the wallet. Never call it inside a transaction.
    """
    found = _given_up(order, member, by)
    answer = gateway_calls.cancel(found)
    return outcomes.settle(order=found, answer=answer, origin=Origin.QUERY, gateway=found.gateway)


@act
def _given_up(order: TopUp, member: Member | None, by: Actor) -> TopUp:
    if member is None:
        check_not_own(by, order.member_id)
    elif order.member_id != member.pk:
        raise NoSuchTopUp
    found = orders.locked(order)
    if found.state != TopUp.State.REQUIRES_ACTION:
        raise NothingToCancel(state=found.state)
    if not gateway_calls.can_cancel(found):
        raise CannotCancel
    orders.tell(found, origin=Origin.REQUEST if member else Origin.STAFF, reason="to be taken back", by=by)
    return found


@act
def _intend(
    member: Member,
    wallet: Wallet,
    amount: Money,
    method: str,
    reference: str,
    instrument: Instrument | None,
    by: Actor,
    fee: Money | None,
) -> tuple[TopUp, bool]:
    member = Member.objects.lock(member.pk)
    paid_with = str(instrument.public_id) if instrument else ""
    if first := TopUp.objects.filter(member=member, reference=reference).first():
        return orders.same(first, wallet_id=wallet.pk, amount=amount, method=method, instrument=paid_with), False
    wallet = orders.wallet_of(member, wallet)
    _check(member, wallet, instrument, method)

    now = clock.now()
    order = TopUp(
        public_id=uuid7(now),
        member=member,
        wallet=wallet,
        reference=reference,
        currency=amount.unit,
        amount_minor=amount.minor,
        method=method,
        instrument=paid_with,
        gateway=routing.first(kind=GatewayRoute.Kind.TOP_UP, method=method, amount=amount, now=now),
        created_at=now,
        changed_at=now,
        next_query_at=now + orders.ASKED_AFTER[0],
    )
    limits.take(member=member, kind=limits.Kind.TOP_UP, amount=amount, source=order.source, now=now)
    quote = fees.agreed(fees.quote(member=member, kind=fees.Kind.TOP_UP, amount=amount, now=now), fee)
    if quote.fee >= amount:
        raise FeeTooHigh(fee=quote.fee, amount=amount)
    order.fee_minor = quote.fee.minor
    room.check(member=member, wallet=wallet, amount=order.net)
    fees.take(quote=quote, source=order.source, now=now)
    order.save(force_insert=True)
    orders.tell(order, origin=Origin.REQUEST, by=by)
    return order, True


def _check(member: Member, wallet: Wallet, instrument: Instrument | None, method: str) -> None:
    members.check_active(member)
    if wallet.state == Wallet.State.CLOSED:
        raise WalletClosed
    if instrument is not None:
        found = payees.usable(member=member, public_id=instrument.public_id, currency=wallet.currency)
        payees.check_method(found, method)


def _send(order: TopUp, instrument: Instrument | None, return_url: str) -> TopUp:
    while True:
        answer = gateway_calls.begin(order, instrument=instrument, return_url=return_url)
        moved_on = rerouting.elsewhere(order, answer, kind=GatewayRoute.Kind.TOP_UP)
        if moved_on is None:
            return outcomes.settle(order=order, answer=answer, origin=Origin.CALL, gateway=order.gateway)
        order = moved_on


@teller("top_up")
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """What statements say of top-ups."""
    return {
        str(order.public_id): Told(_words(order), order.method.replace("_", " "), order.source)
        for order in TopUp.objects.of(member).filter(public_id__in=ids)
    }


def _words(order: TopUp) -> str:
    if not order.fee_minor:
        return gettext("Top-up")
    return gettext("Top-up of {amount}, less a fee of {fee}").format(
        amount=formatted(order.moved), fee=formatted(order.fee)
    )
